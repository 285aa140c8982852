#!/usr/bin/env bash
# Train on several GPUs of one or more machines.
# Usage: tools/dist_train.sh CONFIG GPUS [arguments of train.py]
# Several machines: set NNODES, NODE_RANK and MASTER_ADDR on each.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 CONFIG GPUS [arguments of train.py]" >&2
  exit 2
fi
config=$1 gpus=$2
shift 2
exec torchrun --nproc-per-node="$gpus" --nnodes="${NNODES:-1}" \
  --node-rank="${NODE_RANK:-0}" --master-addr="${MASTER_ADDR:-127.0.0.1}" \
  --master-port="${PORT:-29500}" \
  "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
