#!/bin/sh
# Prints DIR/rules/*.rules.yml as PrometheusRule objects of the Prometheus Operator. DIR is your output directory:
#   pte-exporter generate rules --config.file YOURS --output DIR
#   deploy/kubernetes/rules.sh DIR | kubectl apply -n monitoring -f -
# Do not use this repository's rules: some of them are for the made-up shop of `make stack`.
set -eu
[ $# -eq 1 ] && [ -d "$1/rules" ] || { echo "usage: $0 DIR, where DIR/rules holds your generated rules" >&2; exit 2; }
for file in "$1"/rules/*.rules.yml; do
  name=$(basename "$file" .rules.yml)
  printf -- '---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: pte-%s\n' "$name"
  printf '  labels: {app.kubernetes.io/name: pte-exporter}\nspec:\n'
  sed '/./s/^/  /' "$file"
done
