#!/usr/bin/env bash
# Stands where the suites expect alertmanager: translates its flags and becomes `tocsin serve`.
# TOCSIN names the binary. A flag comes as --name value or --name=value.
set -euo pipefail

args=(serve)
while (($#)); do
  name=${1%%=*}
  if [[ $1 == *=* ]]; then
    value=${1#*=}
    shift
  else
    value=$2
    shift 2
  fi
  case $name in
  --config.file) args+=(--alertmanager-config "$value") ;;
  --storage.path) args+=(--data "$value/data") ;;
  --web.listen-address) args+=(--listen "$value") ;;
  --web.route-prefix) args+=(--route-prefix "$value") ;;
  --enable-feature) args+=(--enable-feature "$value") ;;
  --log.level | --dispatch.start-delay | --cluster.*) ;; # no counterpart, and none is missed
  *)
    echo "alertmanager wrapper: no translation for $name" >&2
    exit 2
    ;;
  esac
done
exec "$TOCSIN" "${args[@]}"
