/* Functions that malle's code never calls; each has a bounded or thread-safe replacement in base/.
 * Included by base/str.h so that every file sees it. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok strtok_r atoi atol atoll
#undef alloca
#pragma GCC poison gmtime localtime ctime asctime mktemp tmpnam alloca

#endif
