/* sanitized: SANITIZED is defined when a sanitizer's runtime is part of the program. */
#ifndef OS_SANITIZED_H
#define OS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

#endif
