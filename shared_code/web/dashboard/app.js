// The page: goes where the address says, and fetches new figures while it is live.

import { askAgain } from "./api.js";
import { fillControls } from "./controls.js";
import { announce, h } from "./dom.js";
import { clock, zone } from "./format.js";
import { linkTo, readPlace, state } from "./place.js";
import { alertView, alertsView } from "./views/alerts.js";
import { clustersView } from "./views/clusters.js";
import { metricsView } from "./views/metrics.js";
import { overviewView } from "./views/overview.js";
import { rejectedView } from "./views/rejected.js";
import { ruleSetView, rulesView } from "./views/rules.js";
import { windowView } from "./views/window.js";
import { windowsView } from "./views/windows.js";

const LIVE_SECONDS = 15;
const VIEWS = {
  overview: { name: "Overview", list: overviewView },
  windows: { name: "Windows", list: windowsView, one: windowView },
  metrics: { name: "Rule metrics", list: metricsView },
  alerts: { name: "Alerts", list: alertsView, one: alertView },
  clusters: { name: "Clusters", list: clustersView },
  rejected: { name: "Rejected", list: rejectedView },
  rules: { name: "Rules", list: rulesView, one: ruleSetView },
};

const main = document.getElementById("main");
const controls = fillControls(document.getElementById("controls"), {
  onTheme: () => view?.panels.forEach((panel) => panel.again()),
  onLive: (on) => {
    announce(on ? "Live update is on" : "Live update is paused");
    if (on) refresh();
    else plan();
  },
});
const links = new Map(Object.entries(VIEWS).map(([key, { name }]) => [key, h("a", {}, name)]));
let view = null;
let place = null;
let round = 0;
let loading = new AbortController();
let timer = null;

function notFound() {
  const heading = `There is no view "${state.view}"`;
  return {
    heading,
    filters: [],
    panels: [],
    intro: h("p", {}, h("a", { href: linkTo("overview") }, "Overview")),
  };
}

function go() {
  readPlace();
  const here = `${state.view}/${state.id ?? ""}`;
  if (here === place) {
    view.filters.forEach((filter) => filter.follow());
  } else {
    const isFirst = place === null;
    place = here;
    const known = VIEWS[state.view];
    const make = state.id === null ? known?.list : known?.one;
    view = make ? make(state.id) : notFound();
    show(isFirst);
  }
  controls.follow();
  showLinks();
  view.panels.forEach((panel) => panel.again());
  refresh({ isAsked: true });
}

function show(isFirst) {
  document.title = `${view.heading} – Payment metrics`;
  const heading = h("h1", { tabindex: "-1" }, view.heading);
  main.replaceChildren(
    ...[
      h("div", { class: "title" }, heading, view.intro ?? null),
      view.filters.length
        ? h(
            "div",
            { class: "filters", role: "group", "aria-label": "Filters" },
            view.filters.map((filter) => filter.element),
          )
        : null,
      h(
        "div",
        { class: "panels" },
        view.panels.map((panel) => panel.element),
      ),
    ].filter(Boolean),
  );
  if (!isFirst) {
    heading.focus();
    scrollTo(0, 0);
  }
}

function showLinks() {
  for (const [name, link] of links) {
    link.href = linkTo(name);
    if (name === state.view) {
      link.setAttribute("aria-current", "page");
      link.closest("ul").scrollLeft = link.offsetLeft - link.closest("ul").offsetLeft - 40;
    } else link.removeAttribute("aria-current");
  }
}

/** Fetch everything; who asked for it is told when it is there, who did not is left in peace. */
async function refresh({ isAsked = false } = {}) {
  clearTimeout(timer);
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  round += 1;
  const failures = await Promise.all(view.panels.map((panel) => panel.refresh(round, signal)));
  if (signal.aborted) return;
  if (!failures.some(Boolean)) {
    controls.refreshed(`${clock(new Date())} ${zone()}`);
    if (isAsked) announce(`${view.heading}: figures are loaded`);
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  // A hidden tab asks for nothing; it is brought up to date when it is looked at.
  if (controls.isLive() && !document.hidden) timer = setTimeout(refresh, LIVE_SECONDS * 1000);
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part behind # names the view
  main.focus();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && controls.isLive()) refresh();
  else plan();
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
main.addEventListener("again", () => {
  askAgain();
  refresh({ isAsked: true });
});
addEventListener("hashchange", go);
document.getElementById("views").append(...[...links.values()].map((link) => h("li", {}, link)));
go();
