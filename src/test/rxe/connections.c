/*
 * What a C program needs to make connections: one thread and one event loop, for both ends of all. It starts all
 * resolutions first, then does what each event asks for. `figures`, beside this file, compiles it and runs it in
 * turns with io.loomverbs.tools.ConnectionLoad, which has the same objects.
 *
 *   connections ADDRESS PORT COUNT     connections a second: each is resolved, accepted, carries one message of 8
 *                                      bytes, and is disconnected by the client; each end has a CQ of its own
 */
#include <arpa/inet.h>
#include <poll.h>
#include <rdma/rdma_cma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <time.h>

enum { BYTES = 64, DEPTH = 8, WR = 2, WAIT_MS = 2000, PENDING = 8192 };

static struct rdma_event_channel *events;
static struct ibv_comp_channel *completions;
static struct ibv_pd *pd;
static struct ibv_mr *mr;
static char memory[2 * BYTES];
static int left;

struct end {
	struct rdma_cm_id *id;
	struct ibv_cq *cq;
	int client, received, disconnected;
};

static void need(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void create(struct end *end)
{
	struct ibv_qp_init_attr init = {.qp_type = IBV_QPT_RC,
		.cap = {.max_send_wr = WR, .max_recv_wr = WR, .max_send_sge = 1, .max_recv_sge = 1}};

	if (!pd) {
		pd = ibv_alloc_pd(end->id->verbs);
		completions = ibv_create_comp_channel(end->id->verbs);
		need(pd && completions, "pd, channel");
		mr = ibv_reg_mr(pd, memory, sizeof(memory), IBV_ACCESS_LOCAL_WRITE);
		need(mr && !fcntl(completions->fd, F_SETFL, O_NONBLOCK), "memory");
	}
	end->cq = ibv_create_cq(end->id->verbs, DEPTH, end, completions, 0);
	need(end->cq && !ibv_req_notify_cq(end->cq, 0), "ibv_create_cq");
	init.send_cq = init.recv_cq = end->cq;
	need(!rdma_create_qp(end->id, pd, &init), "rdma_create_qp");
}

static void destroy(struct end *end)
{
	rdma_disconnect(end->id); /* both may do so at once */
	rdma_destroy_qp(end->id);
	need(!ibv_destroy_cq(end->cq) && !rdma_destroy_id(end->id), "destroy");
	free(end);
	left--;
}

static void request(struct rdma_cm_id *id)
{
	struct ibv_sge sge = {.addr = (uintptr_t)memory + BYTES, .length = BYTES};
	struct ibv_recv_wr wr = {.sg_list = &sge, .num_sge = 1}, *bad;
	struct rdma_conn_param param = {.responder_resources = 1, .initiator_depth = 1, .rnr_retry_count = 7};
	struct end *end = calloc(1, sizeof(*end));

	end->id = id;
	id->context = end;
	create(end);
	sge.lkey = mr->lkey;
	need(!ibv_post_recv(id->qp, &wr, &bad), "ibv_post_recv");
	need(!rdma_accept(id, &param), "rdma_accept");
}

static void send_one(struct end *end)
{
	struct ibv_sge sge = {.addr = (uintptr_t)memory, .length = 8, .lkey = mr->lkey};
	struct ibv_send_wr wr = {.sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_SEND,
				 .send_flags = IBV_SEND_SIGNALED}, *bad;

	need(!ibv_post_send(end->id->qp, &wr, &bad), "ibv_post_send");
}

static void handle(enum rdma_cm_event_type type, struct rdma_cm_id *id)
{
	struct rdma_conn_param param = {.responder_resources = 1, .initiator_depth = 1, .retry_count = 7,
					.rnr_retry_count = 7};
	struct end *end = id->context;

	switch (type) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		need(!rdma_resolve_route(id, WAIT_MS), "rdma_resolve_route");
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		create(end);
		need(!rdma_connect(id, &param), "rdma_connect");
		break;
	case RDMA_CM_EVENT_CONNECT_REQUEST:
		request(id);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		if (end->client)
			send_one(end);
		break;
	case RDMA_CM_EVENT_DISCONNECTED:
		end->disconnected = 1;
		if (end->received)
			destroy(end);
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
		break;
	default:
		fprintf(stderr, "%s\n", rdma_event_str(type));
		exit(1);
	}
}

static int get_events(void)
{
	struct rdma_cm_event *event;
	int n = 0;

	for (; !rdma_get_cm_event(events, &event); n++) {
		enum rdma_cm_event_type type = event->event;
		struct rdma_cm_id *id = event->id;

		rdma_ack_cm_event(event); /* its id may be destroyed now */
		handle(type, id);
	}
	return n;
}

static void get_completions(void)
{
	struct ibv_cq *cq;
	struct ibv_wc wc[WR];
	void *context;

	while (completions && !ibv_get_cq_event(completions, &cq, &context)) {
		struct end *end = context;
		int n;

		ibv_ack_cq_events(cq, 1);
		need(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
		n = ibv_poll_cq(cq, WR, wc);
		need(n == 0 || (n == 1 && (wc[0].status == IBV_WC_SUCCESS || end->received)), "a message");
		if (n == 1)
			end->received = 1;
		if (n == 1 && (end->client || end->disconnected))
			destroy(end);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct rdma_cm_id *listener;
	double start;
	int count;

	need(argc == 4, "usage: see above");
	need(inet_pton(AF_INET, argv[1], &address.sin_addr) == 1, "the address");
	address.sin_port = htons(atoi(argv[2]));
	count = atoi(argv[3]);
	left = 2 * count;
	events = rdma_create_event_channel();
	need(events && !fcntl(events->fd, F_SETFL, O_NONBLOCK), "rdma_create_event_channel");
	need(!rdma_create_id(events, &listener, NULL, RDMA_PS_TCP), "rdma_create_id");
	need(!rdma_bind_addr(listener, (struct sockaddr *)&address), "rdma_bind_addr");
	need(!rdma_listen(listener, PENDING), "rdma_listen");
	start = now();
	for (int i = 0; i < count; i++) {
		struct end *end = calloc(1, sizeof(*end));

		end->client = 1;
		need(!rdma_create_id(events, &end->id, end, RDMA_PS_TCP), "rdma_create_id");
		need(!rdma_resolve_addr(end->id, NULL, (struct sockaddr *)&address, WAIT_MS), "rdma_resolve_addr");
	}
	while (left) {
		struct pollfd fds[] = {{.fd = events->fd, .events = POLLIN},
				       {.fd = completions ? completions->fd : -1, .events = POLLIN}};

		need(poll(fds, 2, WAIT_MS * 10) > 0, "silence");
		if (fds[0].revents)
			get_events();
		if (fds[1].revents)
			get_completions();
	}
	printf("%.1f\n", count / (now() - start));
	return 0;
}
