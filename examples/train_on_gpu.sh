#!/bin/sh
# Trains the large content network on a graphics card, in one call or in several short ones.
#
#   sh examples/train_on_gpu.sh train-0.tar train-1.tar train-2.tar           one call, half an hour
#   MINUTES=27 CALL=540 sh examples/train_on_gpu.sh train-0.tar               each of several calls of ten minutes
#
# Shards given are kept in $WORK/shards and trained on in this call and all later ones. MINUTES of running time is the
# sum over all calls; the learning rate ends with it. CALL is the time of this call in seconds, after which it stops
# cleanly. If $WORK does not last from one call to the next (a fresh machine), bring the weights that came back:
#
#   START=results/content-default.safetensors MINUTES=9 sh examples/train_on_gpu.sh train-1.tar
#
# What comes back lies in $OUT: weights in half precision (14 MB), log, the newest sample sheet.
set -eu
WORK=${WORK:-/tmp/patchloom-training}
OUT=${OUT:-results}
MINUTES=${MINUTES:-28}
CALL=${CALL:-86400}
DATA=${DATA:-}
PYTHON=${PYTHON:-python3}
export PYTHONPATH="$(dirname "$0")/../src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1

mkdir -p "$WORK/shards" "$OUT"
for shard in "$@"; do
    cp -n "$shard" "$WORK/shards/"
done
set --
if [ -e "$WORK/run/checkpoint.pt" ]; then
    set -- --resume
elif [ -n "${START:-}" ]; then
    set -- --start "$START"
fi
# Stopping for CALL is not failing: timeout then says 124, and patchloom wrote everything before.
timeout -s INT "$CALL" "$PYTHON" -m patchloom train content "$WORK"/shards/* --size "${SIZE:-large}" \
    --minutes "$MINUTES" --store "$WORK/store" --data "$DATA" --checkpoint-minutes 2 -o "$WORK/run" "$@" || [ $? = 124 ]
cp "$WORK"/run/content-default.safetensors "$OUT"
for file in "$WORK/run/log.jsonl" $(ls "$WORK"/run/sheet-*.png 2>/dev/null | tail -n 1); do
    [ ! -e "$file" ] || cp "$file" "$OUT"
done
