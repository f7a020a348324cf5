# Everything is found on the system. One file a dependency; README.md says what each is for.

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON) # a project that adds this one links them too, through static libraries

function(scry_missing what package)
  message(FATAL_ERROR "${what} was not found. Run third_party/install.sh, or install it yourself (Debian package ${package}).")
endfunction()

find_package(Threads REQUIRED)
if(SCRY_BLAS STREQUAL "openblas")
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  include("${CMAKE_CURRENT_LIST_DIR}/openblas.cmake")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/xtensor.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/stb.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/zlib.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/json.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/random123.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/fashion_mnist.cmake")
if(SCRY_BUILD_EXAMPLES OR SCRY_BUILD_TESTS)
  include("${CMAKE_CURRENT_LIST_DIR}/cli11.cmake")
endif()
if(SCRY_BUILD_TESTS)
  include("${CMAKE_CURRENT_LIST_DIR}/googletest.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/benchmark.cmake")
endif()
