/*
 * What a C program needs for the steps that loomverbs takes. `figures`, beside this file, compiles it and runs it
 * in turns with io.loomverbs.tools.RxeFigures.
 *
 *   figures DEVICE poll CALLS            nanoseconds of one ibv_poll_cq of an empty CQ
 *   figures DEVICE arm CALLS             nanoseconds of one ibv_req_notify_cq
 *   figures DEVICE channel CQS SECONDS   events and messages a second: CQS CQs on one channel, a queue pair each,
 *                                        connected in pairs, a message of 64 bytes going back and forth in each
 *                                        pair; one thread waits in ibv_get_cq_event
 *   figures DEVICE onecq QPS SECONDS     messages a second, and polls that found some: the same with one CQ for all,
 *                                        which one thread polls, and arms and waits for only if it is empty
 *   figures DEVICE get read|epoll EVENTS   microseconds to get and acknowledge an event that has been raised
 *   figures DEVICE pingpong event|await read|epoll WARM_UP ITERATIONS
 *                                        microseconds of one round trip of 64 bytes between two processes. event:
 *                                        wait, acknowledge, arm, poll, as ibv_rc_pingpong; await: poll, arm, poll,
 *                                        wait, acknowledge
 *
 * read: waits in ibv_get_cq_event; epoll: waits in epoll_wait, then calls ibv_get_cq_event.
 */
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 64, DEPTH = 16, READY = 32, GID_INDEX = 0, PORT = 1, PSN = 0x1234 };

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

static struct ibv_context *open_device(const char *name)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *ctx = NULL;

	need(list != NULL, "ibv_get_device_list");
	for (int i = 0; list[i]; i++)
		if (!strcmp(ibv_get_device_name(list[i]), name))
			ctx = ibv_open_device(list[i]);
	need(ctx != NULL, "ibv_open_device");
	ibv_free_device_list(list);
	return ctx;
}

static void loop(struct ibv_context *ctx, int arm, long calls)
{
	struct ibv_comp_channel *channel = ibv_create_comp_channel(ctx);
	struct ibv_cq *cq = ibv_create_cq(ctx, DEPTH, NULL, channel, 0);
	struct ibv_wc wc[DEPTH];

	need(cq != NULL, "ibv_create_cq");
	for (int round = 0; round < 2; round++) { /* the first one warms up */
		double start = now();

		for (long i = 0; i < calls; i++) {
			int rc = arm ? ibv_req_notify_cq(cq, 0) : ibv_poll_cq(cq, DEPTH, wc);

			need(rc == 0, "the call");
		}
		if (round == 1)
			printf("%.2f\n", (now() - start) * 1e9 / calls);
	}
}

struct end {
	struct ibv_cq *cq;
	struct ibv_qp *qp;
	uint64_t at;
};

static uint32_t lkey;

static void post_recv(struct end *end)
{
	struct ibv_sge sge = {.addr = end->at, .length = BYTES, .lkey = lkey};
	struct ibv_recv_wr wr = {.wr_id = (uintptr_t)end, .sg_list = &sge, .num_sge = 1}, *bad;

	need(!ibv_post_recv(end->qp, &wr, &bad), "ibv_post_recv");
}

static void post_send(struct end *end)
{
	struct ibv_sge sge = {.addr = end->at + BYTES, .length = BYTES, .lkey = lkey};
	struct ibv_send_wr wr = {.sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_SEND,
				 .send_flags = IBV_SEND_SIGNALED}, *bad;

	need(!ibv_post_send(end->qp, &wr, &bad), "ibv_post_send");
}

static void create(struct end *end, struct ibv_context *ctx, struct ibv_pd *pd, struct ibv_comp_channel *channel,
		   struct ibv_cq *shared)
{
	struct ibv_qp_init_attr init = {.qp_type = IBV_QPT_RC,
		.cap = {.max_send_wr = DEPTH, .max_recv_wr = DEPTH, .max_send_sge = 1, .max_recv_sge = 1}};

	end->cq = shared ? shared : ibv_create_cq(ctx, 2 * DEPTH, end, channel, 0);
	need(end->cq != NULL, "ibv_create_cq");
	init.send_cq = init.recv_cq = end->cq;
	end->qp = ibv_create_qp(pd, &init);
	need(end->qp != NULL, "ibv_create_qp");
}

static void connect_to(struct end *end, uint32_t qpn, union ibv_gid gid)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT, .port_num = PORT};

	need(!ibv_modify_qp(end->qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS),
	     "INIT");
	attr = (struct ibv_qp_attr){.qp_state = IBV_QPS_RTR, .path_mtu = IBV_MTU_1024, .dest_qp_num = qpn,
		.rq_psn = PSN, .max_dest_rd_atomic = 1, .min_rnr_timer = 12,
		.ah_attr = {.is_global = 1, .port_num = PORT,
			    .grh = {.hop_limit = 64, .dgid = gid, .sgid_index = GID_INDEX}}};
	need(!ibv_modify_qp(end->qp, &attr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
			    IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER), "RTR");
	attr.qp_state = IBV_QPS_RTS;
	attr.timeout = 14;
	attr.retry_cnt = attr.rnr_retry = 7;
	attr.sq_psn = PSN;
	attr.max_rd_atomic = 1;
	need(!ibv_modify_qp(end->qp, &attr, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			    IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC), "RTS");
	post_recv(end);
}

static struct end *create_all(struct ibv_context *ctx, int ends_count, struct ibv_comp_channel *channel,
			      struct ibv_cq *shared)
{
	struct ibv_pd *pd = ibv_alloc_pd(ctx);
	struct end *ends = calloc(ends_count, sizeof(*ends));
	char *memory = aligned_alloc(4096, (size_t)ends_count * 2 * BYTES);
	struct ibv_mr *mr = ibv_reg_mr(pd, memory, (size_t)ends_count * 2 * BYTES, IBV_ACCESS_LOCAL_WRITE);
	union ibv_gid gid;

	need(channel && pd && mr, "channel, pd, mr");
	need(!ibv_query_gid(ctx, PORT, GID_INDEX, &gid), "ibv_query_gid");
	lkey = mr->lkey;
	for (int i = 0; i < ends_count; i++) {
		ends[i].at = (uintptr_t)memory + (size_t)i * 2 * BYTES;
		create(&ends[i], ctx, pd, channel, shared);
	}
	for (int i = 0; i < ends_count; i++) {
		connect_to(&ends[i], ends[i ^ 1].qp->qp_num, gid);
		need(!ibv_req_notify_cq(ends[i].cq, 0), "ibv_req_notify_cq");
	}
	for (int i = 0; i < ends_count; i += 2)
		post_send(&ends[i]);
	return ends;
}

/* Answers what n completions say; how many messages there were. */
static int answer(struct ibv_wc *wc, int n)
{
	int messages = 0;

	for (int i = 0; i < n; i++) {
		if (wc[i].status != IBV_WC_SUCCESS) {
			fprintf(stderr, "%s\n", ibv_wc_status_str(wc[i].status));
			exit(1);
		}
		if (wc[i].opcode == IBV_WC_RECV) {
			messages++;
			post_recv((struct end *)(uintptr_t)wc[i].wr_id);
			post_send((struct end *)(uintptr_t)wc[i].wr_id);
		}
	}
	return messages;
}

static void channel(struct ibv_context *ctx, int cqs, double seconds)
{
	struct ibv_comp_channel *channel = ibv_create_comp_channel(ctx);
	long events = 0, messages = 0;
	double start, end_of_warm_up;

	create_all(ctx, cqs, channel, NULL);
	end_of_warm_up = now() + 1;
	start = 0;
	for (;;) {
		struct ibv_cq *cq;
		struct ibv_wc wc[4];
		void *context;
		int n;

		need(!ibv_get_cq_event(channel, &cq, &context), "ibv_get_cq_event");
		need(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
		while ((n = ibv_poll_cq(cq, 4, wc)) > 0)
			messages += answer(wc, n);
		ibv_ack_cq_events(cq, 1);
		events++;
		if (events % 64 == 0) {
			double t = now();

			if (start == 0 && t >= end_of_warm_up) {
				start = t;
				events = messages = 0;
			} else if (start != 0 && t - start >= seconds) {
				printf("%.0f %.0f\n", events / (t - start), messages / (t - start));
				return; /* the kernel takes it all down */
			}
		}
	}
}

static void one_cq(struct ibv_context *ctx, int qps, double seconds)
{
	struct ibv_comp_channel *channel = ibv_create_comp_channel(ctx);
	struct ibv_cq *cq = ibv_create_cq(ctx, 2 * DEPTH * qps, NULL, channel, 0);
	struct ibv_wc wc[32];
	long polls = 0, messages = 0, polls_before = 0;
	double start = 0, end_of_warm_up = now() + 1;

	need(cq != NULL, "ibv_create_cq");
	create_all(ctx, qps, channel, cq);
	for (;;) {
		int n = ibv_poll_cq(cq, 32, wc);

		if (n == 0) {
			need(!ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
			n = ibv_poll_cq(cq, 32, wc);
		}
		if (n == 0) {
			struct ibv_cq *got;
			void *context;

			need(!ibv_get_cq_event(channel, &got, &context), "ibv_get_cq_event");
			ibv_ack_cq_events(got, 1);
			continue;
		}
		messages += answer(wc, n);
		if (++polls % 64 == 0) {
			double t = now();

			if (start == 0 && t >= end_of_warm_up) {
				start = t;
				messages = 0;
				polls_before = polls;
			} else if (start != 0 && t - start >= seconds) {
				printf("%.0f %.0f\n", messages / (t - start), (polls - polls_before) / (t - start));
				return;
			}
		}
	}
}

/* A channel on which a thread waits, in ibv_get_cq_event or in an epoll set. */
struct waiting {
	struct ibv_comp_channel *channel;
	int epoll; /* -1: the descriptor blocks */
};

static void wait_on(struct waiting *w, struct ibv_context *ctx, const char *how)
{
	struct epoll_event in = {.events = EPOLLIN};

	w->channel = ibv_create_comp_channel(ctx);
	need(w->channel != NULL, "ibv_create_comp_channel");
	w->epoll = -1;
	if (!strcmp(how, "epoll")) {
		w->epoll = epoll_create1(EPOLL_CLOEXEC);
		need(!fcntl(w->channel->fd, F_SETFL, fcntl(w->channel->fd, F_GETFL) | O_NONBLOCK), "fcntl");
		need(!epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->channel->fd, &in), "epoll_ctl");
	}
}

static void get_and_ack(struct waiting *w)
{
	struct epoll_event out;
	struct ibv_cq *cq;
	void *context;

	if (w->epoll >= 0)
		need(epoll_wait(w->epoll, &out, 1, -1) == 1, "epoll_wait");
	need(!ibv_get_cq_event(w->channel, &cq, &context), "ibv_get_cq_event");
	ibv_ack_cq_events(cq, 1);
}

static void use(struct ibv_context *ctx, struct ibv_pd *pd, struct end *ends, int n)
{
	char *memory = aligned_alloc(4096, 4096 * 2);
	struct ibv_mr *mr = ibv_reg_mr(pd, memory, 4096 * 2, IBV_ACCESS_LOCAL_WRITE);

	need(mr != NULL, "ibv_reg_mr");
	lkey = mr->lkey;
	for (int i = 0; i < n; i++)
		ends[i].at = (uintptr_t)memory + i * 2 * BYTES;
}

/* Each round makes the events of all CQs, and then times their receipt: a look at the clock is a system call here. */
static void get(struct ibv_context *ctx, const char *how, long events)
{
	struct ibv_pd *pd = ibv_alloc_pd(ctx);
	struct end ends[READY];
	struct waiting w;
	union ibv_gid gid;
	double took = 0;

	need(pd && !ibv_query_gid(ctx, PORT, GID_INDEX, &gid), "pd, gid");
	wait_on(&w, ctx, how);
	use(ctx, pd, ends, READY);
	for (int i = 0; i < READY; i++) {
		create(&ends[i], ctx, pd, w.channel, NULL);
		connect_to(&ends[i], ends[i].qp->qp_num, gid);
	}
	for (long n = 0; n < events; n += READY) {
		for (int i = 0; i < READY; i++) {
			struct ibv_wc wc[2];

			need(!ibv_req_notify_cq(ends[i].cq, 0), "ibv_req_notify_cq");
			post_send(&ends[i]);
			for (int got = 0; got < 2;)
				got += ibv_poll_cq(ends[i].cq, 2, wc);
			post_recv(&ends[i]);
		}
		took -= now();
		for (int i = 0; i < READY; i++)
			get_and_ack(&w);
		took += now();
	}
	printf("%.3f\n", took * 1e6 / events);
}

struct player {
	struct end end;
	struct waiting wait;
	long received, sent, sends_done;
};

static void handle(struct player *p, struct ibv_wc *wc, int n, long rounds)
{
	for (int i = 0; i < n; i++) {
		need(wc[i].status == IBV_WC_SUCCESS, ibv_wc_status_str(wc[i].status));
		if (wc[i].opcode != IBV_WC_RECV) {
			p->sends_done++;
			continue;
		}
		p->received++;
		post_recv(&p->end);
		if (p->sent < rounds) {
			post_send(&p->end);
			p->sent++;
		}
	}
}

static void play(struct player *p, int awaits, long rounds)
{
	struct ibv_wc wc[DEPTH];

	while (p->received < rounds || p->sends_done < rounds) {
		int n = awaits ? ibv_poll_cq(p->end.cq, DEPTH, wc) : 0;

		if (!awaits)
			get_and_ack(&p->wait);
		if (n == 0) {
			need(!ibv_req_notify_cq(p->end.cq, 0), "ibv_req_notify_cq");
			n = ibv_poll_cq(p->end.cq, DEPTH, wc);
			if (n == 0 && awaits)
				get_and_ack(&p->wait);
		}
		handle(p, wc, n, rounds);
	}
}

static void begin(struct player *p, int awaits, long rounds)
{
	post_send(&p->end);
	p->sent++;
	play(p, awaits, rounds);
}

static void end_of(const char *device, const char *shape, const char *how, long warm_up, long iterations, int peer,
		   int begins)
{
	struct ibv_context *ctx = open_device(device);
	struct ibv_pd *pd = ibv_alloc_pd(ctx);
	struct player p = {0};
	union ibv_gid gid;
	uint32_t qpn;
	char ready = 0;
	int awaits = !strcmp(shape, "await");
	double start;

	need(pd && !ibv_query_gid(ctx, PORT, GID_INDEX, &gid), "pd, gid");
	wait_on(&p.wait, ctx, how);
	use(ctx, pd, &p.end, 1);
	create(&p.end, ctx, pd, p.wait.channel, NULL);
	need(write(peer, &p.end.qp->qp_num, sizeof(qpn)) == sizeof(qpn) && read(peer, &qpn, sizeof(qpn)) == sizeof(qpn),
	     "the peer");
	connect_to(&p.end, qpn, gid);
	need(!ibv_req_notify_cq(p.end.cq, 0), "ibv_req_notify_cq");
	need(write(peer, &ready, 1) == 1 && read(peer, &ready, 1) == 1, "the peer");
	if (!begins) {
		play(&p, awaits, warm_up + iterations);
		return;
	}
	begin(&p, awaits, warm_up);
	start = now();
	begin(&p, awaits, warm_up + iterations);
	printf("%.3f\n", (now() - start) * 1e6 / iterations);
}

static void pingpong(char **argv)
{
	int peers[2], status;
	pid_t other;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, peers), "socketpair");
	other = fork();
	need(other >= 0, "fork");
	end_of(argv[1], argv[3], argv[4], atol(argv[5]), atol(argv[6]), peers[other == 0], other != 0);
	if (other)
		need(waitpid(other, &status, 0) == other && status == 0, "the other end");
}

int main(int argc, char **argv)
{
	need(argc >= 4, "usage: see above");
	if (!strcmp(argv[2], "pingpong")) {
		need(argc == 7, "usage: see above");
		pingpong(argv);
	} else if (!strcmp(argv[2], "channel"))
		channel(open_device(argv[1]), atoi(argv[3]), argc > 4 ? atof(argv[4]) : 5);
	else if (!strcmp(argv[2], "onecq"))
		one_cq(open_device(argv[1]), atoi(argv[3]), argc > 4 ? atof(argv[4]) : 5);
	else if (!strcmp(argv[2], "get")) {
		need(argc == 5, "usage: see above");
		get(open_device(argv[1]), argv[3], atol(argv[4]));
	} else
		loop(open_device(argv[1]), !strcmp(argv[2], "arm"), atol(argv[3]));
	return 0;
}
