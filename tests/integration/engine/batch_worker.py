"""A process that delivers the same payments as its sisters, in an order of its own."""

import random
import sys

from payment_messages import NOW, messages, varied_events
from store_fixtures import store_settings

from shared_code.engine.metric_engine import MetricEngine


def deliver(url: str, seed: int) -> int:
    """Process all payments in small batches; return how many this process stored."""
    metrics = MetricEngine(store_settings(url, FOLD_INTERVAL_MILLISECONDS="0"))
    sent = messages(*varied_events(60))
    random.Random(seed).shuffle(sent)
    batches = [sent[at : at + 7] for at in range(0, len(sent), 7)]
    stored = sum(metrics.process_batch(batch, now=NOW).stored for batch in batches)
    metrics.database.engine.dispose()
    return stored


if __name__ == "__main__":
    sys.stdout.write(str(deliver(sys.argv[1], int(sys.argv[2]))))
