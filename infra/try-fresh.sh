#!/bin/sh
# Tries the README's commands as a newcomer would: a fresh clone, an empty home, no caches, a bare environment.
#
#   infra/try-fresh.sh [options] [target...]      targets default to: setup save test
#
#   --chroot          in a really fresh Debian (as root, with debootstrap): python3, make, ca-certificates, nothing else
#   --suite NAME      Debian suite for the chroot (bookworm)
#   --mirror URL      where debootstrap takes it from
#   --user            in the chroot: as an ordinary user, who cannot install packages
#   --copy FROM[:TO]  also copy a file or folder into the chroot (may be repeated): certificates, client settings
#   --env NAME=VALUE  also set a variable (may be repeated)
#   --with-changes    take uncommitted files too
#   --keep            leave the folder for a look afterwards
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
suite=bookworm mirror='' chroot='' user='' keep='' changes='' copies='' settings=''
while [ $# -gt 0 ]; do
    case $1 in
        --chroot) chroot=1 ;;
        --suite) suite=$2; shift ;;
        --mirror) mirror=$2; shift ;;
        --user) user=1 ;;
        --copy) copies="$copies $2"; shift ;;
        --env) settings="$settings $2"; shift ;;
        --with-changes) changes=1 ;;
        --keep) keep=1 ;;
        -*) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- setup save test

# Mounts and processes of the chroot live in namespaces of their own: gone with this script, however it ends.
if [ -n "$chroot" ] && [ -z "${TRY_FRESH_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "try-fresh: --chroot needs root" >&2; exit 2; }
    export TRY_FRESH_INSIDE=1
    exec unshare --mount --propagation private --pid --fork --kill-child "$0" --chroot --suite "$suite" \
        ${mirror:+--mirror "$mirror"} ${user:+--user} ${keep:+--keep} ${changes:+--with-changes} \
        $(for c in $copies; do echo --copy "$c"; done) $(for s in $settings; do echo --env "$s"; done) "$@"
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/try-fresh.XXXXXX")
finish() {
    status=$?
    if [ -n "$chroot" ]; then umount -R -l "$folder/proc" "$folder/dev" 2>/dev/null || true; fi
    if [ -n "$keep" ]; then echo "try-fresh: kept $folder"; else rm -rf --one-file-system "$folder"; fi
    exit "$status"
}
trap finish EXIT

take_tree() {  # the commit, or the tree as it stands
    git clone --quiet --no-hardlinks "$repository" "$1"
    if [ -n "$changes" ]; then
        git -C "$repository" ls-files -z --cached --others --exclude-standard |
            (cd "$repository" && tar --null --ignore-failed-read -T - -cf - 2>/dev/null) | tar -xf - -C "$1"
    fi
}

if [ -z "$chroot" ]; then
    take_tree "$folder/archiver"
    mkdir "$folder/home"
    cd "$folder/archiver"
    for target in "$@"; do
        echo "== make $target"
        # shellcheck disable=SC2086  # settings are words on purpose
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$folder/home" LANG=C.UTF-8 \
            $settings make "$target" </dev/null
    done
    exit 0
fi

# shellcheck disable=SC2086
debootstrap --variant=minbase --include=python3,make,ca-certificates "$suite" "$folder" $mirror >"$folder.log" 2>&1 ||
    { tail -20 "$folder.log" >&2; exit 1; }
rm -f "$folder.log"
chmod 755 "$folder"  # mktemp keeps others out; the newcomer has to get in
mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
for copy in $copies; do
    to=$folder/${copy##*:}
    mkdir -p "$(dirname "$to")"
    cp -aLT "${copy%%:*}" "$to"
done
home=/root
if [ -n "$user" ]; then
    chroot "$folder" useradd --create-home newcomer
    home=/home/newcomer
fi
take_tree "$folder$home/archiver"
[ -z "$user" ] || chroot "$folder" chown -R newcomer: "$home"
for target in "$@"; do
    echo "== make $target"
    # shellcheck disable=SC2086
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" LANG=C.UTF-8 $settings \
        chroot ${user:+--userspec=newcomer:newcomer} "$folder" \
        sh -c 'cd "$1/archiver" && exec make "$2"' sh "$home" "$target" </dev/null
done
