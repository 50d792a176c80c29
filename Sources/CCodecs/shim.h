#ifndef STRANGLER_CCODECS_SHIM_H
#define STRANGLER_CCODECS_SHIM_H
#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#endif
