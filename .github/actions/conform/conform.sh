#!/usr/bin/env bash
# The shell part of the action: turns its inputs into arguments. Summary, annotations and outputs are mqttlab's own work.
set -euo pipefail

args=(conform --out "${INPUT_OUT:-mqttlab-report}")
add() { [ -z "$2" ] || args+=("$1" "$2"); }
add --image "${INPUT_IMAGE:-}"
add --exec "${INPUT_EXEC:-}"
add --profile "${INPUT_PROFILE:-}"
add --config-template "${INPUT_CONFIG:-}"
add --known "${INPUT_KNOWN:-}"
add --baseline "${INPUT_BASELINE:-}"
read -ra more <<<"${INPUT_ARGS:-}"
args+=("${more[@]}")
[ -z "${INPUT_TARGET:-}" ] || args+=(-- "$INPUT_TARGET")
exec "${INPUT_MQTTLAB:-mqttlab}" "${args[@]}"
