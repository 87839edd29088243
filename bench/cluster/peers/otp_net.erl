%% Erlang distribution, in the clear: two nodes in two virtual machines. The near one reads "one-way N", "ask N" and "bulk MB"
%% from standard input and answers with a line of numbers: messages per second; microseconds per ask; MB/s.
-module(otp_net).
-export([near/1, far/0]).

far() ->
    register(echo, spawn(fun echo/0)),
    register(sink, spawn(fun() -> sink(0, 0) end)).

echo() -> receive {From, Ref, Value} -> From ! {Ref, Value}, echo() end.

sink(Messages, Bytes) ->
    receive
        {data, Bin} -> sink(Messages + 1, Bytes + byte_size(Bin));
        {report, From} -> From ! {got, Messages, Bytes}, sink(0, 0)
    end.

near([Name]) ->
    Node = list_to_atom(Name),
    connect(Node, 100),
    Echo = rpc:call(Node, erlang, whereis, [echo]),
    Sink = rpc:call(Node, erlang, whereis, [sink]),
    io:format("ready~n"),
    loop(Echo, Sink).

connect(Node, 0) -> exit({no_connection, Node});
connect(Node, Left) ->
    case net_adm:ping(Node) of
        pong -> timer:sleep(300);
        _ -> timer:sleep(100), connect(Node, Left - 1)
    end.

loop(Echo, Sink) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            [What, Count] = string:tokens(string:trim(Line), " "),
            Numbers = run(What, list_to_integer(Count), Echo, Sink),
            io:format("~s~n", [lists:join(" ", [io_lib:format("~.4f", [float(N)]) || N <- Numbers])]),
            loop(Echo, Sink)
    end.

run("one-way", N, _, Sink) -> [N / flood(Sink, binary:copy(<<"x">>, 100), N)];
run("ask", N, Echo, _) ->
    Bin = binary:copy(<<"x">>, 100),
    [begin Start = now_ns(), ask(Echo, Bin), (now_ns() - Start) / 1000 end || _ <- lists:seq(1, N)];
run("bulk", MB, _, Sink) ->
    Size = 64 * 1024,
    N = ceil(MB * 1.0e6 / Size),
    [N * Size / flood(Sink, binary:copy(<<"x">>, Size), N) / 1.0e6].

ask(To, Value) -> Ref = make_ref(), To ! {self(), Ref, Value}, receive {Ref, Value} -> ok end.

%% Seconds until all were counted. The sender is held when the distribution's buffer is full, as it comes.
flood(Sink, Bin, N) ->
    Start = now_ns(),
    send(Sink, Bin, N),
    Sink ! {report, self()},
    receive {got, N, Bytes} -> Bytes = N * byte_size(Bin) end,
    (now_ns() - Start) / 1.0e9.

send(_, _, 0) -> ok;
send(Sink, Bin, N) -> Sink ! {data, Bin}, send(Sink, Bin, N - 1).

now_ns() -> erlang:monotonic_time(nanosecond).
