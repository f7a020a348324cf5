# xsimd, for kernels; xtensor, as the NumPy of the framework's edges.
find_package(xsimd QUIET)
if(NOT TARGET xsimd)
  scry_missing(xsimd libxsimd-dev)
endif()
find_package(xtensor QUIET)
if(NOT TARGET xtensor)
  scry_missing(xtensor libxtensor-dev)
endif()
