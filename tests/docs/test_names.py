# SPDX-License-Identifier: MIT
"""docs/from-python names what readers look for, and names of ours in any document exist, as do the
files that documents lead to (TAP).

    test_names.py SOURCE BUILD

The names are those of the libraries' public interface: asyncio of Python 3.14 (its __all__, and the
methods of its loop, tasks, streams, queues), gevent 25, eventlet 0.40, greenlet 3, aiohttp 3.
"""
import glob
import os
import re
import sys

ASYNCIO = """
run Runner create_task ensure_future TaskGroup sleep gather shield wait_for timeout timeout_at reschedule expired wait
FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED as_completed to_thread run_coroutine_threadsafe current_task all_tasks
iscoroutine iscoroutinefunction isfuture eager_task_factory create_eager_task_factory wrap_future Timeout TimeoutError
cancel cancelled cancelling uncancel done result exception add_done_callback remove_done_callback get_name set_name
get_stack print_stack get_coro get_context CancelledError InvalidStateError Future Handle TimerHandle
open_connection open_unix_connection start_server start_unix_server StreamReader StreamWriter read readexactly readline
readuntil at_eof feed_data feed_eof IncompleteReadError LimitOverrunError write writelines drain write_eof can_write_eof
is_closing wait_closed get_extra_info start_tls
Lock locked Event Condition notify Semaphore BoundedSemaphore Barrier BrokenBarrierError n_waiting abort reset Queue
LifoQueue PriorityQueue put_nowait get_nowait QueueFull QueueEmpty join task_done qsize full shutdown QueueShutDown
create_subprocess_exec create_subprocess_shell communicate returncode terminate kill send_signal PIPE STDOUT DEVNULL pid
get_child_watcher set_child_watcher AbstractChildWatcher PidfdChildWatcher
new_event_loop get_event_loop get_running_loop set_event_loop EventLoop SelectorEventLoop run_until_complete run_forever
stop is_running is_closed close shutdown_asyncgens shutdown_default_executor call_soon call_soon_threadsafe call_later
call_at time create_future set_task_factory get_task_factory run_in_executor set_default_executor create_connection
create_unix_connection create_server create_unix_server connect_accepted_socket sock_accept create_datagram_endpoint
sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto sock_connect sock_sendfile sendfile
SendfileNotAvailableError add_reader remove_reader add_writer remove_writer connect_read_pipe connect_write_pipe
add_signal_handler remove_signal_handler getaddrinfo getnameinfo set_exception_handler call_exception_handler
default_exception_handler set_debug get_debug subprocess_exec subprocess_shell Server serve_forever start_serving
is_serving sockets close_clients abort_clients AbstractEventLoopPolicy get_event_loop_policy set_event_loop_policy
Protocol BufferedProtocol DatagramProtocol SubprocessProtocol Transport WriteTransport DatagramTransport
SubprocessTransport connection_made data_received buffer_updated eof_received connection_lost pause_reading
resume_reading pause_writing resume_writing set_write_buffer_limits get_write_buffer_size datagram_received
error_received pipe_data_received process_exited
get_loop loop_factory eager_start capture_call_graph print_call_graph format_call_graph future_add_to_awaited_by
local_addr happy_eyeballs_delay interleave all_errors partial expected consumed acquire release set clear is_set
notify_all parties broken empty maxsize get_exception_handler slow_callback_duration AbstractServer keep_alive
AbstractEventLoop BaseEventLoop BaseProtocol StreamReaderProtocol get_buffer ReadTransport is_reading set_protocol
get_protocol set_transport BaseTransport get_write_buffer_limits pipe_connection_lost get_pid get_returncode
get_pipe_transport
"""
GEVENT = """
Greenlet GreenletExit Timeout config fork get_hub getcurrent getswitchinterval idle iwait joinall kill killall reinit
setswitchinterval signal_handler sleep spawn spawn_later spawn_raw wait with_timeout link link_value link_exception
rawlink unlink ready successful started value get join exc_info start start_later minimal_ident spawn_tree_locals
spawning_greenlet gevent.pool Group Pool PoolFull free_count full wait_available map map_async apply apply_async map_cb
imap imap_unordered discard killone add gevent.event AsyncResult Event set_exception get_nowait gevent.queue Queue
SimpleQueue PriorityQueue LifoQueue JoinableQueue Channel ShutDown Empty Full peek copy gevent.lock Semaphore
BoundedSemaphore DummySemaphore RLock gevent.local local gevent.threadpool ThreadPool ThreadResult ThreadPoolExecutor
gevent.server StreamServer DatagramServer gevent.baseserver BaseServer gevent.pywsgi WSGIServer WSGIHandler
gevent.backdoor BackdoorServer gevent.fileobject FileObject FileObjectPosix FileObjectThread gevent.select select poll
gevent.selectors gevent.socket create_connection fromfd socketpair getaddrinfo gethostbyname gethostbyaddr getnameinfo
getfqdn cancel_wait wait_read wait_write wait_readwrite gevent.ssl SSLContext SSLSocket wrap_socket
get_server_certificate gevent.subprocess Popen call check_call check_output run getoutput CalledProcessError
TimeoutExpired gevent.os nb_read nb_write tp_read tp_write fork_and_watch forkpty waitpid gevent.signal getsignal
gevent.time gevent.util print_run_info GreenletTree assert_switches gevent.events EventLoopBlocked
MemoryUsageThresholdExceeded gevent.hub Hub Waiter gevent.core gevent.monkey patch_all get_original gevent.thread
gevent.threading gevent.contextvars ContextVar copy_context gevent.resolver
spawn_n spawn_after spawn_after_local greenpool GreenPool waitall running free waiting resize starmap GreenPile dagpool
DAGPool Collision PropagateError LightQueue send send_exception reset semaphore CappedSemaphore is_timeout pools
TokenPool item db_pool ConnectionPool tpool execute Proxy set_num_threads corolocal get_ident convenience connect listen
serve StopServe wrap_ssl hubs trampoline use_hub greenio wsgi format_date_time websocket WebSocketWSGI WebSocket debug
hub_blocking_detection spew format_hub_timers hub_prevent_multiple_readers backdoor_server patcher monkey_patch
import_patched eventlet.green eventlet.asyncio eventlet.green.zmq
has_links pending seconds greenlet_class apply_cb put qsize empty task_done peek_nowait locked release acquire
is_fatal_error closed server_port stop_accepting source_address settimeout setdefaulttimeout format_run_info
GreenletTracer GreenThread exc_after call_after_local getting putting poll poll_result poll_exception has_result
has_exception create notify_close notify_opened unspew format_hub_listeners hub_exceptions spawn_for_awaitable
"""
GREENLET = """
greenlet parent run switch throw GreenletExit error getcurrent dead gr_frame gr_context settrace gettrace
"""
AIOHTTP = """
ClientSession request get post put patch delete head options base_url headers skip_auto_headers auth json_serialize
cookie_jar CookieJar DummyCookieJar update_cookies filter_cookies save load raise_for_status ClientTimeout total connect
sock_connect sock_read auto_decompress trust_env proxy connector TCPConnector limit limit_per_host keepalive_timeout
UnixConnector NamedPipeConnector Fingerprint use_dns_cache AsyncResolver ThreadedResolver happy_eyeballs_delay
force_close BasicAuth encode_basic_auth DigestAuthMiddleware FormData MultipartWriter MultipartReader BodyPartReader
JsonPayload Payload streamer status reason ok url real_url history raw_headers content_type charset get_encoding text
read json content iter_chunked iter_any readline release close cookies links ClientError ClientConnectorError
ClientConnectorDNSError ClientSSLError ServerDisconnectedError ClientPayloadError ServerTimeoutError InvalidURL
TooManyRedirects ContentTypeError ClientResponseError ClientHttpProxyError TraceConfig ws_connect
ClientWebSocketResponse WSMessage allow_redirects max_redirects params data compress chunked
Application run_app AppRunner ServerRunner TCPSite SockSite UnixSite GracefulExit client_max_size add_get add_post
add_route RouteTableDef DynamicResource add_static static add_subapp add_domain View AppKey on_startup on_cleanup
cleanup_ctx middleware normalize_path_middleware match_info query method path raw_path path_qs query_string host
http_range if_modified_since remote transport FileField multipart can_read_body body_exists Response json_response
set_cookie del_cookie HTTPFound HTTPSeeOther HTTPMovedPermanently HTTPNotFound StreamResponse prepare write drain
write_eof enable_chunked_encoding content_length enable_compression FileResponse etag last_modified ssl_context
reuse_port GunicornWebWorker AbstractAccessLogger WebSocketResponse WSMsgType
"""
PAGES = {"asyncio": ASYNCIO, "gevent": GEVENT, "greenlet": GREENLET, "aiohttp": AIOHTTP}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def documents(root):
    return sorted(glob.glob(os.path.join(root, "*.md")) + glob.glob(os.path.join(root, "docs", "**", "*.md"),
                                                                    recursive=True))


def forgotten(root, page, names):
    """Names that stand in no table cell of the page."""
    text = read(os.path.join(root, "docs", "from-python", page + ".md"))
    quoted = set()
    for cell in re.findall(r"`([^`\n]+)`", text.split("## Idioms")[0]):
        quoted.add(cell)
        quoted |= set(re.findall(r"[A-Za-z_][\w.]*", cell))
        quoted |= set(re.findall(r"[A-Za-z_]\w*", cell))
    return sorted(set(names.split()) - quoted)


def unknown(root):
    """Names of ours, in backquotes, that no header has; a trailing … or * or _ stands for several."""
    headers = "".join(read(p) for p in glob.glob(os.path.join(root, "include", "celadon", "*.h")))
    known = set(re.findall(r"\b(?:cel|CEL)_\w+", headers))
    for path in documents(root):
        text = re.sub(r"^```.*?^```", "", read(path), flags=re.S | re.M)
        for quoted in re.findall(r"`([^`\n]+)`", text):
            for name in re.findall(r"(?<![\w/-])((?:cel|CEL)_[A-Za-z]\w*)(?![\w*…-]|\.[ch])", quoted):
                if name not in known and not name.endswith(("_", "_noun_verb")):
                    yield f"{os.path.relpath(path, root)}: {name}"


def unexplained(root):
    """Codes of parse errors that docs/html-errors.md has no row for, rows of no code, and words that differ."""
    codes = set(re.findall(r'"([a-z0-9.-]+)"\)', read(os.path.join(root, "src", "html", "parse_error.h"))))
    rows = re.findall(r"^\| `([^`]+)` \|", read(os.path.join(root, "docs", "html-errors.md")), flags=re.M)
    assert len(codes) > 100, codes
    yield from sorted(codes ^ set(rows)) + sorted({r for r in rows if rows.count(r) > 1})
    table = re.sub(r'"\s*\n\s*"', "", read(os.path.join(root, "src", "html", "parse_error.c")))
    words = re.findall(r'\] =\s+"((?:[^"\\]|\\.)*)"', table)
    told = re.findall(r"^\| `[^`]+` \| (.*?) \|", read(os.path.join(root, "docs", "html-errors.md")), flags=re.M)
    assert len(words) == len(codes), (len(words), len(codes))
    yield from sorted({w.replace('\\"', '"') for w in words} ^ {t.replace("`", "") for t in told})


def lost(root):
    """Files that documents link to and that are not there."""
    for path in documents(root):
        text = re.sub(r"^```.*?^```", "", read(path), flags=re.S | re.M)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield f"{os.path.relpath(path, root)}: {target}"


def tests_of(root):
    """Names of test functions: what cmocka's tables, our own and those of test programs in Python list."""
    names = set()
    for folder, _, files in os.walk(os.path.join(root, "tests")):
        for file in files:
            if not file.endswith((".c", ".h", ".py")):
                continue
            text = read(os.path.join(folder, file))
            names |= set(re.findall(r"^(?:[A-Z][A-Z_]+\(|static void )(\w+)\)?(?:\(void \*\*|\(struct ends|$)", text, re.M))
            names |= set(re.findall(r'\("(\w+)", list\(', text))
    return names


def unproven(root):
    """Tests that the failure model names and that do not exist; rows that name none and do not say why; rules without a
    row."""
    known, rules = tests_of(root), set()
    assert len(known) > 1000, len(known)
    for line in read(os.path.join(root, "docs", "design", "failure-model.md")).splitlines():
        cells = [c.strip() for c in line.strip("|").split(" |")]
        if not line.startswith("|") or len(cells) < 3 or cells[0] in ("---", "Fault", "Pitfall", "Rule"):
            continue
        named = re.findall(r"`(\w+)`", cells[2])
        rules |= set(re.findall(r"^C\d+", cells[0]))
        yield from (f"{cells[0]}: no test {name}" for name in named if name not in known)
        if not named and not cells[1].startswith("Later:"):
            yield f"{cells[0]}: names no test"
    yield from sorted({f"C{i}" for i in range(1, 20)} ^ rules)


def main():
    root = sys.argv[1]
    results = [(f"{page}_page_has_every_name", forgotten(root, page, names)) for page, names in PAGES.items()]
    results += [("names_of_ours_exist", list(unknown(root))), ("links_lead_to_files", list(lost(root))),
                ("parse_errors_are_explained", list(unexplained(root))),
                ("names_of_tests_exist", list(unproven(root)))]
    print(f"1..{len(results)}")
    for i, (name, bad) in enumerate(results, 1):
        print(f'{"not ok" if bad else "ok"} {i} - {name}')
        for what in bad:
            print(f"#   {what}")
    return 1 if any(bad for _, bad in results) else 0


if __name__ == "__main__":
    sys.exit(main())
