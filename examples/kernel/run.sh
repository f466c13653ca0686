#!/bin/sh
# Boots the kernel: run.sh KERNEL [words of its command line]. CPUS=n and NODES=n choose the machine, TORN=1 takes interrupts between
# any two instructions (else only between blocks of them), MEMORY its mebibytes, CPU its processor.
kernel=$1
shift
cpus=${CPUS:-4} nodes=${NODES:-1} memory=${MEMORY:-2048}
numa=
if [ "$nodes" -gt 1 ]; then
  each=$((cpus / nodes)) node=0
  while [ $node -lt "$nodes" ]; do
    first=$((node * each)) last=$((node * each + each - 1))
    numa="$numa -object memory-backend-ram,size=$((memory / nodes))M,id=m$node -numa node,nodeid=$node,memdev=m$node,cpus=$first-$last"
    node=$((node + 1))
  done
fi
single=
if [ -n "$TORN" ]; then
  # QEMU from 8.1 on has a property for it, and before an option.
  if echo quit | qemu-system-x86_64 -M none -nodefaults -display none -monitor stdio \
    -accel tcg,one-insn-per-tb=on > /dev/null 2>&1; then
    one=,one-insn-per-tb=on
  else
    single=-singlestep
  fi
fi
# shellcheck disable=SC2086
timeout "${TIMEOUT:-300}" qemu-system-x86_64 -M q35 -nodefaults -vga none -display none -serial stdio -monitor none -no-reboot \
  -accel "tcg,thread=single${one:-}" $single -cpu "${CPU:-max}" -smp "$cpus" -m "${memory}M" $numa \
  -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$kernel" -append "$*" < /dev/null
# The kernel writes 0x10 where all is well, and the device makes 33 of it.
test $? = 33
