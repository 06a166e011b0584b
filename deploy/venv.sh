#!/bin/sh
# Makes .venv where the machine's Python lacks venv: Debian keeps it in a package of its own.
set -eu
version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
echo "installing python$version-venv from Debian" >&2
if [ "$(id -u)" = 0 ]; then sudo=""; else sudo=sudo; fi
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "python$version-venv" >/dev/null
exec "$1" -m venv .venv
