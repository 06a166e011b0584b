#!/bin/sh
# Prints rules/*.rules.yml as PrometheusRule objects of the Prometheus Operator:
#   deploy/kubernetes/rules.sh | kubectl apply -n monitoring -f -
# rules/observed.rules.yml belongs to your configuration: generate it first, with
#   pte-exporter generate rules --config.file YOURS
set -eu
cd "$(dirname -- "$0")/../.."
for file in rules/*.rules.yml; do
  name=$(basename "$file" .rules.yml)
  printf -- '---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: pte-%s\n' "$name"
  printf '  labels: {app.kubernetes.io/name: pte-exporter}\nspec:\n'
  sed '/./s/^/  /' "$file"
done
