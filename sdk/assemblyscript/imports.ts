/** Functions of the node, as the sandbox offers them. Offsets are Extism's: u64, 0 for none. Use the modules beside. */

// @ts-nocheck: AssemblyScript
@external("extism:host/user", "storage_get")
export declare function storage_get(key: u64): u64
@external("extism:host/user", "storage_put")
export declare function storage_put(key: u64, value: u64): i32
@external("extism:host/user", "storage_delete")
export declare function storage_delete(key: u64): i32
@external("extism:host/user", "storage_list")
export declare function storage_list(prefix: u64): u64
@external("extism:host/user", "timer_set")
export declare function timer_set(timer: u64, delay_ms: u64): i32
@external("extism:host/user", "timer_cancel")
export declare function timer_cancel(timer: u64): i32
@external("extism:host/user", "timer_left")
export declare function timer_left(timer: u64): i64
@external("extism:host/user", "timer_list")
export declare function timer_list(): u64
@external("extism:host/user", "announce")
export declare function announce(speech: u64, room: u64, session: u64): i32
@external("extism:host/user", "clock_now")
export declare function clock_now(): i64
@external("extism:host/user", "clock_offset")
export declare function clock_offset(): i32
@external("extism:host/user", "random")
export declare function random(): u32
@external("extism:host/user", "device_list")
export declare function device_list(): u64
@external("extism:host/user", "device_command")
export declare function device_command(json: u64): i32
@external("extism:host/user", "http_send")
export declare function http_send(json: u64): i32
@external("extism:host/user", "topic_publish")
export declare function topic_publish(json: u64): i32
@external("extism:host/user", "language_ask")
export declare function language_ask(json: u64): i32
@external("extism:host/user", "question_ask")
export declare function question_ask(json: u64): i32
@external("extism:host/user", "card_update")
export declare function card_update(json: u64): i32
@external("extism:host/user", "personal_get")
export declare function personal_get(key: u64): u64
@external("extism:host/user", "personal_put")
export declare function personal_put(key: u64, value: u64): i32
@external("extism:host/user", "personal_delete")
export declare function personal_delete(key: u64): i32
@external("extism:host/user", "personal_list")
export declare function personal_list(prefix: u64): u64
@external("extism:host/env", "config_get")
export declare function config_get(key: u64): u64
@external("extism:host/env", "error_set")
export declare function error_set(text: u64): void
@external("extism:host/env", "length")
export declare function length(offset: u64): u64
