#!/bin/sh
# Sets up the servers that the tests and `make stack` use:
#   Debian's own packages (Prometheus 2.42, Alertmanager 0.25, Pushgateway, VictoriaMetrics), and newer ones
#   (Prometheus 3.x, Alertmanager) unpacked from Debian sid into .tools/. Sid has its own lists and cache, so the
#   machine's own package sources stay as they are.
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$top/.tools
sid=$tools/sid

say() { printf 'tools: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

wanted=""
for pair in prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager victoria-metrics:victoria-metrics \
  prometheus-pushgateway:prometheus-pushgateway wrk:wrk; do
  command -v "${pair#*:}" >/dev/null 2>&1 || wanted="$wanted ${pair%%:*}"
done
if [ -n "$wanted" ]; then
  say "installing$wanted from Debian"
  as_root apt-get update -qq
  # Debian starts services on install; the tests start their own.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $wanted >/dev/null
fi

if [ -x "$tools/prometheus3/usr/bin/prometheus" ] && [ -x "$tools/alertmanager/usr/bin/amtool" ]; then
  exit 0
fi
say "fetching newer servers from Debian sid into .tools/"
mirror=$(sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
  grep -v security | head -n 1)
[ -n "$mirror" ] || { say "no Debian mirror found in the machine's own package sources"; exit 1; }
mkdir -p "$sid/lists/partial" "$sid/cache/archives/partial" "$sid/deb"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$mirror" >"$sid/sources.list"
apt_sid() {
  apt-get -qq -o Dir::Etc::sourcelist="$sid/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::Lists="$sid/lists" -o Dir::Cache="$sid/cache" -o APT::Sandbox::User=root \
    -o APT::Get::List-Cleanup=0 "$@"
}
apt_sid update
(cd "$sid/deb" && apt_sid download prometheus promtool prometheus-alertmanager)
rm -rf "$tools/prometheus3" "$tools/alertmanager"
for deb in "$sid"/deb/prometheus_*.deb "$sid"/deb/promtool_*.deb; do dpkg -x "$deb" "$tools/prometheus3"; done
dpkg -x "$sid"/deb/prometheus-alertmanager_*.deb "$tools/alertmanager"
rm -rf "$sid"
say "$("$tools/prometheus3/usr/bin/prometheus" --version 2>&1 | head -n 1)"
say "$("$tools/alertmanager/usr/bin/prometheus-alertmanager" --version 2>&1 | head -n 1)"
