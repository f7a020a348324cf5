#!/usr/bin/env bash
# Installs, with apt, what building scry needs and this system lacks. Does nothing when all of it is there.
set -euo pipefail

usage() {
  cat <<'END'
Usage: third_party/install.sh [--dev]

Installs the Debian packages that building, testing and training need. Says which before it starts, and does nothing
when there is nothing to install.

  --dev    also what checks the formatting, clang-format-14 and clang-tidy-14, what fuzzes, clang-14 with its
           runtime, and valgrind, which counts instructions
  --help   print this
END
}

packages=(libopenblas-openmp-dev libxtensor-dev libxsimd-dev libstb-dev zlib1g-dev nlohmann-json3-dev librandom123-dev
          libcli11-dev libgtest-dev libgmock-dev libbenchmark-dev dataset-fashion-mnist)
for argument in "$@"; do
  case $argument in
    --dev) packages+=(clang-format-14 clang-tidy-14 clang-14 libclang-rt-14-dev valgrind) ;;
    --help | -h) usage; exit ;;
    *) echo "install.sh: unknown argument '$argument'" >&2; usage >&2; exit 2 ;;
  esac
done

# A CMake from elsewhere will do if it is new enough.
cmake_is_new_enough() {
  local version
  version=$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p') || return 1
  [[ -n $version ]] && printf '3.25\n%s\n' "$version" | sort --version-sort --check=quiet
}

tools=()
command -v g++ >/dev/null || tools+=(g++)
cmake_is_new_enough || tools+=(cmake)
command -v ninja >/dev/null || tools+=(ninja-build)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  cat >&2 <<END
install.sh: this system has no apt-get, so nothing was installed. scry needs a C++20 compiler, CMake 3.25 or newer, Ninja,
and what these Debian packages hold:
  ${packages[*]}
Install them in this system's own way, then build without this script (third_party/README.md tells more):
  cmake --preset release && cmake --build --preset release && ctest --preset release
END
  exit 1
fi

installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
missing=("${tools[@]}")
for package in "${packages[@]}"; do
  grep --quiet --line-regexp --fixed-strings "installed $package" <<<"$installed" || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    cat >&2 <<END
install.sh: installing needs root, and there is no sudo here. As root, run:
  apt-get install ${missing[*]}
END
    exit 1
  fi
  as_root=(sudo)
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"; }

# The lines are for people: a caller's standard output stays the caller's.
exec >&2
echo "Installing with apt: ${missing[*]}"
apt update || echo "install.sh: the package lists could not all be refreshed; going on with those at hand"
if ! apt install --yes --no-install-recommends "${missing[@]}"; then
  echo "install.sh: apt could not install them; its message is above. scry is developed on Debian 12." >&2
  exit 1
fi
hash -r
if ! cmake_is_new_enough; then
  echo "install.sh: scry needs CMake 3.25 or newer; $(command -v cmake) is older. Put a newer one first on the PATH." >&2
  exit 1
fi
