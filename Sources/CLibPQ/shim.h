#ifndef STRANGLER_CLIBPQ_SHIM_H
#define STRANGLER_CLIBPQ_SHIM_H
/* Debian keeps libpq's header below /usr/include/postgresql; other systems have it on the plain include path. */
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif
#endif
