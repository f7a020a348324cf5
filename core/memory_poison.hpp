#pragma once

// Marks for the address sanitizer: memory that the pool holds is nobody's.

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(block, bytes) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(block, bytes) ((void)0)
#endif
