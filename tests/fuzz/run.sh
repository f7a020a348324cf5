#!/usr/bin/env bash
# Fuzzes the readers of weight files with libFuzzer, each for some seconds (20 where not told otherwise), from the files in tests/fuzz/corpus.
#   tests/fuzz/run.sh [SECONDS [READER...]]       readers: safetensors, npz
# What it finds on the way stays in build/fuzz; a file that breaks a reader is named at the end and should join the corpus.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-20}
readers=("${@:2}")
[[ ${#readers[@]} -gt 0 ]] || readers=(safetensors npz)
build=$root/build/fuzz
compiler=${CXX_FUZZ:-clang++-14}

if ! command -v "$compiler" >/dev/null; then
  echo "fuzz/run.sh: there is no $compiler; on Debian: apt-get install clang-14 libclang-rt-14-dev (or name another clang in CXX_FUZZ)" >&2
  exit 1
fi
mkdir -p "$build/include/scry"
ln -sfn "$root/core" "$build/include/scry/core"
flags=(-std=c++20 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -I "$build/include" -I "$root/tests"
       -D SCRY_BLAS_PLAIN)
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
  "$compiler" "${flags[@]}" -fsanitize=fuzzer -x c++ - -o "$build/probe" 2>"$build/probe.log"; then
  echo "fuzz/run.sh: $compiler can't link a fuzzer; on Debian its runtime is in libclang-rt-14-dev:" >&2
  cat "$build/probe.log" >&2
  exit 1
fi

# What the readers need of core, and no more: it is compiled anew where it changed.
objects=()
for source in dtype error memory memory_large parallel region room shape storage tensor kernels/{copy,elementwise,transpose} \
  io/{element_type,file,npy,npy_header,npz,safetensors,safetensors_header,zip_reader,zip_stream,zip_writer}; do
  object=$build/${source//\//_}.o
  objects+=("$object")
  newer=$(find "$root/core" -name '*.?pp' -newer "$object" -print -quit 2>/dev/null || echo new)
  [[ -e $object && -z $newer ]] && continue
  rm -f "$object"
  while [[ $(jobs -rp | wc -l) -ge $(nproc) ]]; do wait -n; done
  "$compiler" "${flags[@]}" -fsanitize=fuzzer-no-link -c "$root/core/$source.cpp" -o "$object" &
done
wait
for object in "${objects[@]}"; do
  [[ -e $object ]] || exit 1 # the compiler has said why
done

# fuzz READER: fuzzes one, and says what came of it.
fuzz() {
  local reader=$1
  "$compiler" "${flags[@]}" -fsanitize=fuzzer "$root/tests/fuzz/${reader}_fuzz.cpp" "${objects[@]}" -lz -pthread -o "$build/$reader"
  mkdir -p "$build/found/$reader"
  if "$build/$reader" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=512 -timeout=10 -artifact_prefix="$build/$reader-" -print_final_stats=1 \
    "$build/found/$reader" "$root/tests/fuzz/corpus/$reader" >"$build/$reader.log" 2>&1; then
    echo "$reader: $(sed -n 's/^Done //p' "$build/$reader.log"), nothing found"
  else
    tail -n 60 "$build/$reader.log" >&2
    echo "fuzz/run.sh: $reader fails; see above and $build/$reader.log" >&2
    return 1
  fi
}

running=()
for reader in "${readers[@]}"; do
  fuzz "$reader" &
  running+=($!)
done
status=0
for each in "${running[@]}"; do wait "$each" || status=1; done
exit $status
