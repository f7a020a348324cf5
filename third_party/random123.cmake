# Random123::Random123: headers only, as <Random123/philox.h>.
find_path(SCRY_RANDOM123_INCLUDE_DIR NAMES Random123/philox.h DOC "The folder above Random123/philox.h")
if(NOT SCRY_RANDOM123_INCLUDE_DIR)
  scry_missing(Random123 librandom123-dev)
endif()
if(NOT TARGET Random123::Random123)
  add_library(Random123::Random123 INTERFACE IMPORTED GLOBAL)
  target_include_directories(Random123::Random123 SYSTEM INTERFACE "${SCRY_RANDOM123_INCLUDE_DIR}")
endif()
