#!/usr/bin/env bash
# The shell part of the action: turns its inputs into arguments. Summary, annotations and outputs are mqttlab's own work.
set -euf # f: a star in the arguments is no pattern. This has to run in the bash 3.2 of macOS, where an empty array counts as unset.

program=${INPUT_MQTTLAB:-mqttlab}
if ! command -v "$program" >/dev/null; then
	program=${RUNNER_TEMP:-/tmp}/mqttlab
	echo "mqttlab is not installed: building it from the action's own checkout"
	(cd "$GITHUB_ACTION_PATH/../../.." && CGO_ENABLED=0 go build -o "$program" ./cmd/mqttlab)
fi

args=(conform --out "${INPUT_OUT:-mqttlab-report}")
add() { [ -z "$2" ] || args+=("$1" "$2"); }
add --image "${INPUT_IMAGE:-}"
add --exec "${INPUT_EXEC:-}"
add --profile "${INPUT_PROFILE:-}"
add --config-template "${INPUT_CONFIG:-}"
add --known "${INPUT_KNOWN:-}"
add --baseline "${INPUT_BASELINE:-}"
for word in ${INPUT_ARGS:-}; do args+=("$word"); done
[ -z "${INPUT_TARGET:-}" ] || args+=(-- "$INPUT_TARGET")
exec "$program" "${args[@]}"
