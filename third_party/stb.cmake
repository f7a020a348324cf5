# stb::stb: the headers of stb, as <stb/stb_image.h>. The one source that defines STB_IMAGE_IMPLEMENTATION compiles only the
# formats it wants, as static functions; libstb.so would bring every decoder that stb has to every process.
find_path(SCRY_STB_INCLUDE_DIR NAMES stb/stb_image.h DOC "The folder above stb/stb_image.h")
if(NOT SCRY_STB_INCLUDE_DIR)
  scry_missing("stb (stb/stb_image.h)" libstb-dev)
endif()
if(NOT TARGET stb::stb)
  add_library(stb::stb INTERFACE IMPORTED GLOBAL)
  target_include_directories(stb::stb SYSTEM INTERFACE "${SCRY_STB_INCLUDE_DIR}")
endif()
