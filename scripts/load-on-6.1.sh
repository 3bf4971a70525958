#!/usr/bin/env bash
# Loads every BPF program on Debian 12's own kernel (Linux 6.1) in a virtual machine without KVM, about a minute.
#   sudo scripts/load-on-6.1.sh        after scripts/build.sh; installs qemu, busybox and cpio, fetches the kernel's package
# Ends with 0 if all of them load. Not a part of the tests: it needs a download of 27 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
objects=(sock_lb sock_health tc_lb xdp_lb sock_flows tc_dns)
for object in "${objects[@]}"; do
  [ -e "build/bpf/$object.bpf.o" ] || { echo "load-on-6.1.sh: no build/bpf/$object.bpf.o: run scripts/build.sh first" >&2; exit 1; }
done
apt-get install -y --no-install-recommends qemu-system-x86 busybox-static cpio >/dev/null

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
package=$(apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-cloud-amd64$' | sort -V | tail -1 | cut -d' ' -f1)
(cd "$folder" && apt-get download "$package" >/dev/null && dpkg-deb -x ./*.deb kernel)
root=$folder/root
mkdir -p "$root"/{bin,proc,sys,dev,o,tmp}
cp "$(command -v busybox)" "$root/bin/busybox"
bpftool=$(readlink -f "$(command -v bpftool || echo /usr/sbin/bpftool)")
cp "$bpftool" "$root/bin/bpftool"
ldd "$bpftool" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
for object in "${objects[@]}"; do cp "build/bpf/$object.bpf.o" "$root/o/$object.o"; done
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t bpf bpf /sys/fs/bpf
mount -t devtmpfs dev /dev
echo "kernel $(uname -r)"
for object in /o/*.o; do
  name=$(basename "$object" .o)
  mkdir "/sys/fs/bpf/$name"
  if bpftool prog loadall "$object" "/sys/fs/bpf/$name" >/tmp/log 2>&1; then
    echo "loaded $name: $(ls "/sys/fs/bpf/$name" | tr '\n' ' ')"
  else
    echo "FAILED $name"
    tail -15 /tmp/log
  fi
done
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$folder/initrd"
timeout 300 qemu-system-x86_64 -M q35 -cpu max -m 1500 -nographic -no-reboot -kernel "$folder"/kernel/boot/vmlinuz-* \
  -initrd "$folder/initrd" -append "console=ttyS0 panic=-1 quiet" </dev/null >"$folder/log" 2>&1 || true
grep -a -o 'kernel 6\..*\|loaded .*' "$folder/log" || true
if [ "$(grep -a -c '^loaded ' "$folder/log")" != ${#objects[@]} ]; then
  grep -a -A15 FAILED "$folder/log" || tail -20 "$folder/log"
  exit 1
fi
