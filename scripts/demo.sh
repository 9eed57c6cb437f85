#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Show a machine that crashed and the capture kernel that started on it: zones and map of both, and
# what the capture kernel asks for while it starts.
#
# usage: scripts/demo.sh PHYSZONE
set -eu
cd "$(dirname "$0")/.."
exe=$1
capture=machines/x86_64/6.1-kdump-256M
crashed=$capture/first

pictures=$(dirname "$exe")

# show ARGUMENT...: run the workbench; status 1 means that it found a problem in the machine.
show()
{
	printf '\n$ physzone %s\n' "$*"
	status=0
	"$exe" "$@" || status=$?
	[ $status -le 1 ] || exit $status
}

echo 'The machine as it was before it crashed (recorded boot of Debian 12, 2 GiB):'
show zones $crashed
show map --svg "$pictures/crashed.svg" $crashed
printf '\nThe capture kernel, which kexec started in what crashkernel=256M had set aside:\n'
show zones $capture
show map --svg "$pictures/capture.svg" $capture
cat <<'END'

What one sees: both kernels have a zone named DMA, the memory below 16 MiB. In the first it has pages
to give. The capture kernel was handed the low 640 KiB as memory too, so its DMA zone has pages that
are present, but the kernel reserves all of the first MiB before the page allocator starts, and
everything else it owns lies in the crash kernel's area far above. Not one page of the zone is
managed. Whatever insists on DMA memory, such as the DMA pools and the kmalloc caches made at boot,
fails there however much memory is free, which is why a kernel has to ask whether a zone has managed
pages, not whether it has pages.
END
printf '\nThe capture kernel starts: as before 5.17, as recorded, and asked by address instead of by zone:\n'
show boot --model linux-5.15,linux-6.1,physzone $capture
printf '\nWhat the first of them prints about it, in part:\n'
"$exe" boot --model linux-5.15 $capture |
	grep -E '^  (swapper|Mem-Info|Node 0 DMA free|DMA: failed)' | cut -c1-150
printf '\nWhat devices can get on the machine that crashed:\n'
show reach --bits 28 $crashed
printf '\nThe maps as pictures: %s/crashed.svg and %s/capture.svg\n' "$pictures" "$pictures"
