#!/bin/sh
# Trains the large content network on a graphics card, also where a call to it can carry only one shard.
#
#   sh examples/train_on_gpu.sh train-0.tar train-1.tar train-2.tar      all at once
#   MINUTES=0 sh examples/train_on_gpu.sh train-0.tar                    keeps a shard for later calls, nothing else
#   MINUTES=9 sh examples/train_on_gpu.sh train-2.tar                    trains on this one and those kept
#
# Shards and the run are kept in $WORK. What comes back lies in $OUT: weights in half precision (14 MB), log, the
# newest sample sheet. A run that was interrupted goes on when the script is called again. More options of
# `patchloom train content` go in $OPTIONS.
set -eu
WORK=${WORK:-/tmp/patchloom-training}
OUT=${OUT:-results}
RUN=${RUN:-run}
MINUTES=${MINUTES:-8}
DATA=${DATA:-}
OPTIONS=${OPTIONS:---size large}
PYTHON=${PYTHON:-python3}
export PYTHONPATH="$(dirname "$0")/../src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1

mkdir -p "$WORK/shards" "$OUT"
for shard in "$@"; do
    [ -e "$WORK/shards/$(basename "$shard")" ] || cp "$shard" "$WORK/shards/"
done
[ "$MINUTES" != 0 ] || exit 0
set --
[ ! -e "$WORK/$RUN/checkpoint.pt" ] || set -- --resume
# shellcheck disable=SC2086 # several options
"$PYTHON" -m patchloom train content "$WORK"/shards/* $OPTIONS --minutes "$MINUTES" --store "$WORK/store" \
    --data "$DATA" --checkpoint-minutes 2 -o "$WORK/$RUN" "$@"
for file in "$WORK/$RUN"/*.safetensors "$WORK/$RUN/log.jsonl" $(ls "$WORK/$RUN"/sheet-*.png | tail -n 1); do
    cp "$file" "$OUT"
done
