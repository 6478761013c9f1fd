#!/usr/bin/env bash
# Plays the nats CLI for tests: makes the same API requests of the same arguments, on 127.0.0.1:$STAND_IN_PORT.
#   nats stream info|add|edit NAME, nats consumer info|add|edit STREAM NAME; --config FILE, --force
request() { # SUBJECT BODY
    local line
    exec 3<> "/dev/tcp/127.0.0.1/$STAND_IN_PORT"
    read -r line <&3
    printf 'CONNECT {"verbose":false}\r\nSUB answer.%d 1\r\nPUB %s answer.%d %d\r\n%s\r\n' \
        $$ "$1" $$ "$(printf %s "$2" | wc -c)" "$2" >&3
    while read -r -t 10 line <&3; do
        case $line in
        MSG*) read -r line <&3; break ;;
        PING*) printf 'PONG\r\n' >&3 ;;
        -ERR*) break ;;
        esac
    done
    case $line in
    *'"error"'* | -ERR* | '') printf '%s\n' "$line" >&2; return 1 ;;
    esac
}

kind=$1 verb=$2
shift 2
names=() config=
while [ $# -gt 0 ]; do
    case $1 in
    --config) config=$(cat "$2"); shift ;;
    --force) ;;
    *) names+=("$1") ;;
    esac
    shift
done
printf '%s %s\n' "$verb" "${names[*]}" >> "$STAND_IN_LOG"
subject=$(IFS=.; printf %s "${names[*]}")
create() { printf '{"stream_name":"%s","config":%s,"action":"%s"}' "${names[0]}" "$config" "$1"; }
case $kind-$verb in
stream-info) request "\$JS.API.STREAM.INFO.$subject" '' ;;
stream-add) request "\$JS.API.STREAM.CREATE.$subject" "$config" ;;
stream-edit) request "\$JS.API.STREAM.UPDATE.$subject" "$config" ;;
consumer-info) request "\$JS.API.CONSUMER.INFO.$subject" '' ;;
consumer-add) request "\$JS.API.CONSUMER.CREATE.$subject" "$(create create)" ;;
consumer-edit) request "\$JS.API.CONSUMER.CREATE.$subject" "$(create update)" ;;
*) exit 2 ;;
esac
