%% Erlang/OTP doing what ours.ts does. Reads "tell N", "ask N" and so on from standard input, answers with a line of
%% numbers: messages per second; microseconds per ask, one number for each 1000 asks; actors per second; bytes per actor.
-module(otp).
-export([main/0]).

main() ->
    io:format("ready~n"),
    loop().

loop() ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            [What, Count] = string:tokens(string:trim(Line), " "),
            Numbers = apart(fun() -> run(What, list_to_integer(Count)) end),
            io:format("~s~n", [lists:join(" ", [io_lib:format("~.4f", [float(N)]) || N <- Numbers])]),
            loop()
    end.

%% Each round in a process of its own, so that none inherits the heap of another.
apart(Fun) ->
    Boss = self(),
    Pid = spawn(fun() -> Boss ! {result, self(), Fun()} end),
    receive {result, Pid, Result} -> Result end.

now_ns() -> erlang:monotonic_time(nanosecond).

run("tell", N) -> [tell(N)];
run("tell-in-batches", N) -> [tell_in_batches(N, [], [])];
run("tell-with-room", N) -> [tell_in_batches(N, [{min_heap_size, 100000}], [{min_heap_size, 10000}])];
run("ask", N) -> ask(N);
run("spawn", N) -> [spawn_rate(N)];
run("memory", N) -> [memory(N)].

%% One process tells another numbers; the receiver adds them up and reports. The mailbox is unbounded.
tell(N) ->
    Boss = self(),
    Receiver = spawn(fun() -> receiver(N, 0, Boss) end),
    Start = now_ns(),
    spawn(fun() -> send(Receiver, 0, N) end),
    receive {sum, Sum} -> Sum = N * (N - 1) div 2 end,
    N * 1.0e9 / (now_ns() - Start).

receiver(0, Sum, Boss) -> Boss ! {sum, Sum};
receiver(Left, Sum, Boss) -> receive {number, Value} -> receiver(Left - 1, Sum + Value, Boss) end.

send(_, N, N) -> ok;
send(To, I, N) -> To ! {number, I}, send(To, I + 1, N).

%% The same with the receiver asking for each batch, as ours does, so that neither side has to be slowed down by the
%% runtime. With room: heaps that hold a batch from the start, in the sizes that were fastest (words).
-define(BATCH, 512).

tell_in_batches(Wanted, ReceiverOptions, SenderOptions) ->
    N = (Wanted + ?BATCH - 1) div ?BATCH * ?BATCH,
    Boss = self(),
    Receiver = spawn_opt(fun() -> batch_receiver(N, 0, Boss) end, ReceiverOptions),
    Start = now_ns(),
    Sender = spawn_opt(fun() -> send_batches(Receiver, 0) end, SenderOptions),
    receive {sum, Sum} -> Sum = N * (N - 1) div 2 end,
    Took = now_ns() - Start,
    exit(Sender, kill),
    N * 1.0e9 / Took.

batch_receiver(Left, Sum, Boss) ->
    receive
        {number, Value} -> batch_receiver(Left - 1, Sum + Value, Boss);
        {enough, _} when Left =:= 0 -> Boss ! {sum, Sum};
        {enough, From} -> From ! more, batch_receiver(Left, Sum, Boss)
    end.

send_batches(To, At) ->
    send(To, At, At + ?BATCH),
    To ! {enough, self()},
    receive more -> send_batches(To, At + ?BATCH) end.

ask(N) ->
    Echo = spawn(fun echo/0),
    Result = ask_batches(Echo, N div 1000, []),
    Echo ! stop,
    Result.

ask_batches(_, 0, Took) -> Took;
ask_batches(Echo, Left, Took) ->
    Start = now_ns(),
    ask_one_by_one(Echo, 1000),
    ask_batches(Echo, Left - 1, [(now_ns() - Start) / 1.0e6 | Took]).

ask_one_by_one(_, 0) -> ok;
ask_one_by_one(Echo, Left) ->
    Ref = make_ref(),
    Echo ! {self(), Ref, question},
    receive {Ref, question} -> ok end,
    ask_one_by_one(Echo, Left - 1).

echo() ->
    receive
        {From, Ref, Question} -> From ! {Ref, Question}, echo();
        stop -> ok
    end.

%% Until every process has started: each tells so.
spawn_rate(N) ->
    Boss = self(),
    Start = now_ns(),
    Pids = spawn_idle(N, Boss, []),
    started(N),
    Took = now_ns() - Start,
    [Pid ! stop || Pid <- Pids],
    N * 1.0e9 / Took.

spawn_idle(0, _, Pids) -> Pids;
spawn_idle(Left, Boss, Pids) ->
    Pid = spawn(fun() -> Boss ! started, idle() end),
    spawn_idle(Left - 1, Boss, [Pid | Pids]).

started(0) -> ok;
started(Left) -> receive started -> started(Left - 1) end.

idle() -> receive stop -> ok end.

memory(N) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes) + erlang:memory(ets),
    Pids = spawn_idle(N, self(), []),
    started(N),
    erlang:garbage_collect(),
    After = erlang:memory(processes) + erlang:memory(ets),
    [Pid ! stop || Pid <- Pids],
    (After - Before) / N.
