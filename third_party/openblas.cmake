# OpenBLAS::OpenBLAS, which must be its OpenMP build. Debian installs each build in a folder of its own, and the plain name is
# whichever build the system administrator chose, so that folder comes first. Another one: -DSCRY_OPENBLAS_LIBRARY=/path/libopenblas.so

set(folder openblas-openmp)
find_library(SCRY_OPENBLAS_LIBRARY NAMES openblas PATHS "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/${folder}" NO_DEFAULT_PATH
             DOC "An OpenMP build of OpenBLAS")
find_library(SCRY_OPENBLAS_LIBRARY NAMES openblaso openblas) # Fedora's OpenMP build ends in o
find_path(SCRY_OPENBLAS_INCLUDE_DIR NAMES cblas.h HINTS "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/${folder}" PATH_SUFFIXES openblas
          DOC "The folder of OpenBLAS's cblas.h")
if(NOT SCRY_OPENBLAS_LIBRARY OR NOT SCRY_OPENBLAS_INCLUDE_DIR)
  scry_missing("OpenBLAS (its OpenMP build)" libopenblas-openmp-dev)
endif()

if(NOT TARGET OpenBLAS::OpenBLAS)
  # CMake adds the folder of this file to the rpath, so it is the one that is loaded.
  add_library(OpenBLAS::OpenBLAS UNKNOWN IMPORTED GLOBAL)
  set_target_properties(OpenBLAS::OpenBLAS PROPERTIES IMPORTED_LOCATION "${SCRY_OPENBLAS_LIBRARY}"
                                                      INTERFACE_INCLUDE_DIRECTORIES "${SCRY_OPENBLAS_INCLUDE_DIR}")
endif()

# The pthread build's threads and OpenMP's would fight for the same cores.
if(NOT CMAKE_CROSSCOMPILING AND NOT SCRY_OPENBLAS_CHECKED STREQUAL SCRY_OPENBLAS_LIBRARY)
  unset(SCRY_OPENBLAS_RUNS CACHE)
  set(check "${CMAKE_CURRENT_BINARY_DIR}/check_openblas.cpp")
  file(CONFIGURE OUTPUT "${check}" CONTENT [[
#include <cstdio>
extern "C" int openblas_get_parallel();
extern "C" char* openblas_get_config();
int main() { std::printf("%d %s", openblas_get_parallel(), openblas_get_config()); }
]])
  try_run(SCRY_OPENBLAS_RUNS compiled "${CMAKE_CURRENT_BINARY_DIR}/check_openblas" "${check}" LINK_LIBRARIES OpenBLAS::OpenBLAS
          COMPILE_OUTPUT_VARIABLE compile_output RUN_OUTPUT_VARIABLE found)
  if(NOT compiled)
    message(FATAL_ERROR "${SCRY_OPENBLAS_LIBRARY} isn't an OpenBLAS that can be linked:\n${compile_output}")
  endif()
  if(NOT SCRY_OPENBLAS_RUNS EQUAL 0 OR NOT found MATCHES "^2 ")
    message(FATAL_ERROR "${SCRY_OPENBLAS_LIBRARY} isn't an OpenMP build of OpenBLAS: openblas_get_parallel() must be 2, but it and the "
                        "library's description are '${found}'. Install one (Debian package libopenblas-openmp-dev) and set "
                        "-DSCRY_OPENBLAS_LIBRARY=/path/to/libopenblas.so to it, or build without OpenBLAS: -DSCRY_BLAS=plain (slow).")
  endif()
  string(SUBSTRING "${found}" 2 -1 found)
  message(STATUS "Found OpenBLAS: ${SCRY_OPENBLAS_LIBRARY} (${found})")
  set(SCRY_OPENBLAS_CHECKED "${SCRY_OPENBLAS_LIBRARY}" CACHE INTERNAL "The library that was found to be an OpenMP build")
endif()
