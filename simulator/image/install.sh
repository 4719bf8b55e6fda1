#!/bin/sh
# Installs the simulator with everything that it needs into a folder of its own:
#     sh install.sh SOURCE TARGET
# SOURCE is a clone of the repository, TARGET becomes a virtual environment; run then
#     TARGET/bin/python -m simulator --help
set -eu

source=$1
target=$2

python3 -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --only-binary :all: -r "$source/requirements-simulator.txt"

site=$("$target/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
for package in shared_code simulator; do
    rm -rf "${site:?}/$package"
    cp -R "$source/$package" "$site/$package"
done
# Compiled once here, not at every start by a user who may not write.
"$target/bin/python" -m compileall -q "$site/shared_code" "$site/simulator"
# Nobody installs anything later on.
"$target/bin/python" -m pip uninstall --quiet --yes pip
