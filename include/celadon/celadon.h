/* SPDX-License-Identifier: MIT */
#ifndef CELADON_CELADON_H
#define CELADON_CELADON_H

/* All of it, for programs. The library itself never includes this. */

#include "celadon/base.h"
#include "celadon/chan.h"
#include "celadon/compose.h"
#include "celadon/crawl.h"
#include "celadon/debug.h"
#include "celadon/fiber.h"
#include "celadon/file.h"
#include "celadon/green.h"
#include "celadon/html.h"
#include "celadon/http.h"
#include "celadon/loop.h"
#include "celadon/net.h"
#include "celadon/offload.h"
#include "celadon/pool.h"
#include "celadon/process.h"
#include "celadon/queue.h"
#include "celadon/relay.h"
#include "celadon/server.h"
#include "celadon/shared.h"
#include "celadon/signal.h"
#include "celadon/sim.h"
#include "celadon/sync.h"
#include "celadon/task.h"
#include "celadon/terminal.h"
#include "celadon/udp.h"
#include "celadon/unix.h"
#include "celadon/watch.h"
#include "celadon/workers.h"
#include "celadon/writer.h"

#endif
