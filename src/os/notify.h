/* notify: what the service manager is told of the server (sd_notify(3)): a datagram to the socket that
 * NOTIFY_SOCKET names. Without one nothing happens, and nothing depends on whether it arrives. */
#ifndef OS_NOTIFY_H
#define OS_NOTIFY_H

/* Assignments, one a line: "READY=1", "RELOADING=1", "STOPPING=1", "STATUS=text". */
void notify_manager(const char *assignments);

#endif
