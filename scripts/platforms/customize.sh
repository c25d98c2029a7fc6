#!/bin/sh -eu
# mmdebstrap's customize hook: $1 is the root of the new system. What is added is what an installer would have asked for:
# users, the network, a key to come in with, and a Node. From the environment: SSH_KEY (public key), NODE_PACKAGE (npm
# package that brings a Node), NODE_CPU (npm's name of its processor), IMAGE and SIZE (the disk to make), BOOT (a folder for
# kernel and initrd).
root=$1

echo netloom-vm > "$root/etc/hostname"
echo "127.0.0.1 localhost netloom-vm" > "$root/etc/hosts"
echo "/dev/vda / ext4 defaults 0 1" > "$root/etc/fstab"
echo "nameserver 10.0.2.3" > "$root/etc/resolv.conf" # qemu's user network

printf '[Match]\nType=ether\nKind=!*\n[Network]\nDHCP=ipv4\n' > "$root/etc/systemd/network/80-qemu.network"
chroot "$root" systemctl --quiet enable systemd-networkd ssh
# Debian 13 has it as a program of its own, which nothing here waits for.
chroot "$root" systemctl --quiet mask systemd-networkd-wait-online.service

# "user" has ids of its own, as adduser gives them; "plain" is as on systems that give none.
for name in user plain; do
    chroot "$root" useradd --create-home --shell /bin/bash "$name"
    echo "$name ALL=(ALL) NOPASSWD: ALL" > "$root/etc/sudoers.d/$name"
done
for file in subuid subgid; do echo "user:100000:65536" > "$root/etc/$file"; done
for home in root home/user home/plain; do
    mkdir -p -m 700 "$root/$home/.ssh"
    echo "$SSH_KEY" > "$root/$home/.ssh/authorized_keys"
done
for name in user plain; do chroot "$root" chown -R "$name:$name" "/home/$name/.ssh"; done
mkdir -p "$root/var/lib/systemd/linger" "$root/var/log/journal"

# Authorities the builder's machine trusts beside Debian's (a company's proxy) are trusted inside too.
if ls /usr/local/share/ca-certificates/*.crt > /dev/null 2>&1; then
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates > /dev/null 2>&1
fi

# A Node older than netloom's own, and npm; Debian 11's and 12's are too old, and one way for all is simpler.
npm install --global --prefix "$root/usr/local" --force --cpu="$NODE_CPU" --os=linux --no-audit --no-fund --loglevel=error \
    "$NODE_PACKAGE" npm@10 > /dev/null
# A copy: npm looks for its own configuration beside the real place of its Node.
cp --remove-destination "$root/usr/local/lib/node_modules/${NODE_PACKAGE%@*}/bin/node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/etc"
echo "cafile=/etc/ssl/certs/ca-certificates.crt" > "$root/usr/local/etc/npmrc"

cp "$root"/boot/vmlinuz-* "$BOOT/vmlinuz"
cp "$root"/boot/initrd.img-* "$BOOT/initrd"
chroot "$root" apt-get clean
# mkfs.ext4 copies a folder: no loop device, no root. The bind mount shows it without the /proc, /sys and /dev mounted in it.
view=$(mktemp --directory)
mount --bind "$root" "$view"
truncate --size="$SIZE" "$IMAGE"
mkfs.ext4 -q -F -d "$view" "$IMAGE"
umount "$view"
rmdir "$view"
