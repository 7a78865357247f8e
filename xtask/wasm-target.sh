#!/usr/bin/env bash
# Makes a Rust toolchain with the wasm32-unknown-unknown target from Debian's packages, where rustup
# reaches no server of its own:
#
#   wasm-target.sh FOLDER
#
# It becomes rustup's override for FOLDER, and its name is the only thing written to stdout.
#
# The packages come from Debian testing, since older releases have no Rust that is new enough, and
# from the mirror that this machine's own package sources name. They are unpacked below the cache,
# not installed, so neither root is needed nor the system changed. Programs of testing ask for a
# newer C library than the machine may have, so they run on the one unpacked beside them.
# Apt checks signatures and hashes as always. cargo and rustfmt are those of rustup's toolchain.
set -euo pipefail

folder=$(cd "${1:?usage: wasm-target.sh FOLDER}" && pwd)
target=wasm32-unknown-unknown
host=x86_64-unknown-linux-gnu
libraries=usr/lib/x86_64-linux-gnu
name=esputnik-kit-debian
home=${KIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/esputnik-kit}/rust-debian
toolchain=$home/toolchain
work=$home/work

say() { echo "    $*" >&2; }
die() { say "$*"; exit 1; }

# Apt with lists, cache and sources of its own. To it nothing is installed.
apt_own() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg option=
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    awk '/\/debian\/?$/ { print; exit }')
  [ -n "$mirror" ] || die "the package sources of this machine name no Debian mirror"
  [ -e "$keyring" ] && option="[signed-by=$keyring] "
  mkdir -p "$work"/{lists,archives}/partial
  echo "deb ${option}$mirror testing main" >"$work/sources.list"
  touch "$work/status"
  cat >"$work/apt.conf" <<EOF
Dir::State "$work";
Dir::State::Lists "$work/lists";
Dir::State::Status "$work/status";
Dir::Cache "$work";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
Debug::NoLocking "1";
EOF
  export APT_CONFIG=$work/apt.conf
  apt-get -qq update
}

# The first package that $1 depends on and whose name matches $2.
dependency() {
  apt-cache depends --important "$1" | sed -nE "s/^ *Depends: ($2)\$/\1/p" | head -n 1
}

# Everything that shared libraries and programs need at run time, by Debian's own account.
closure() {
  apt-cache depends --recurse --important "$@" | grep -E '^[a-z0-9]' | sort -u
}

# A program of testing, started through the dynamic loader of testing. LD_LIBRARY_PATH must not
# reach it: rustup and cargo set it, for programs that use the machine's own C library.
wrap() { # file to write, program to start
  cat >"$1" <<EOF
#!/bin/sh
unset LD_LIBRARY_PATH
exec "$toolchain/runtime/ld.so" --argv0 "\$0" --library-path "$toolchain/runtime" "$2" "\$@"
EOF
  chmod +x "$1"
}

# The program of that name from a toolchain that rustup brought.
borrow() {
  local program
  program=$(rustup which --toolchain stable "$1" 2>/dev/null) || program=$(rustup which "$1")
  printf '#!/bin/sh\nunset LD_LIBRARY_PATH\nexec "%s" "$@"\n' "$program" >"$toolchain/bin/$1"
  chmod +x "$toolchain/bin/$1"
}

make_toolchain() {
  local runtime llvm root=$work/root program
  rm -rf "$work" "$toolchain"
  apt_own
  runtime=$(dependency libstd-rust-dev 'libstd-rust-[0-9.]+')
  llvm=$(dependency "$runtime" 'libllvm[0-9]+')
  [ -n "$llvm" ] || die "Debian's Rust packages are not as this script knows them"
  local linker=lld-${llvm#libllvm}
  say "downloading Debian's $runtime"
  # shellcheck disable=SC2046  # one word per package
  (cd "$work/archives" && apt-get -qq download rustc rust-clippy libstd-rust-dev \
    libstd-rust-dev-wasm32 $(closure "$runtime" "$linker"))
  mkdir -p "$root"
  for package in "$work"/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done

  mkdir -p "$toolchain"/{bin,lib,programs,runtime}
  find "$root/$libraries" -maxdepth 1 -name '*.so*' -exec cp --archive {} "$toolchain/runtime" \;
  cp --dereference "$root/$libraries/ld-linux-x86-64.so.2" "$toolchain/runtime/ld.so"
  cp --archive "$root/usr/lib/rustlib" "$toolchain/lib/"
  find "$toolchain/lib/rustlib" -xtype l -delete
  for program in rustc rustdoc clippy-driver cargo-clippy; do
    cp "$root/usr/bin/$program" "$toolchain/programs/"
    wrap "$toolchain/bin/$program" "$toolchain/programs/$program"
  done
  # cargo-clippy starts the driver that lies beside its own executable, which is the loader.
  ln -s ../bin/clippy-driver "$toolchain/runtime/clippy-driver"
  mkdir -p "$toolchain/lib/rustlib/$host/bin"
  cp "$root/usr/lib/llvm-${llvm#libllvm}/bin/lld" "$toolchain/programs/rust-lld"
  wrap "$toolchain/lib/rustlib/$host/bin/rust-lld" "$toolchain/programs/rust-lld"
  for program in cargo rustfmt cargo-fmt; do borrow "$program" || true; done
  [ -x "$toolchain/bin/cargo" ] || die "rustup has no cargo to lend"
  rm -rf "$work"
}

# Whether the toolchain links a module, with the optimisation that the page's build uses.
works() {
  local scratch result=0
  [ -x "$toolchain/bin/rustc" ] || return 1
  scratch=$(mktemp -d)
  echo 'pub fn f(n: u32) -> usize { format!("{n}").len() }' >"$scratch/try.rs"
  "$toolchain/bin/rustc" --edition 2024 --target "$target" --crate-type cdylib -O -C lto=fat \
    -o "$scratch/try.wasm" "$scratch/try.rs" >&2 && [ -s "$scratch/try.wasm" ] || result=1
  rm -rf "$scratch"
  return "$result"
}

command -v rustup >/dev/null || die "rustup is needed"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "this is no Debian system"
[ "$(dpkg --print-architecture)" = amd64 ] || die "only amd64 packages are known to work"

if ! works; then
  make_toolchain
  works || die "the toolchain of Debian's packages does not compile"
fi
rustup toolchain link "$name" "$toolchain" >&2
rustup override set "$name" --path "$folder" >&2
echo "$name"
