#!/usr/bin/env bash
# Print how many test processes to run: one more than there are cores, because the tests with real peers wait a good
# deal. A container sees all of its host's cores and may use few of them; and each process has servers of its own, so
# that more than eight would want memory for little time.
set -euo pipefail
cores=$(nproc)
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
    allowed=$(((quota + period - 1) / period))
    [ "$allowed" -ge "$cores" ] || cores=$allowed
fi
[ "$cores" -le 8 ] || cores=8
echo $((cores + 1))
