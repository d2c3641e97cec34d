using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;
using ResearchKit.Kernel.Jupyter;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Jupyter;

public sealed class KernelServerTests : IDisposable
{
    private readonly ConnectionFile file = TestClient.FreePorts();
    private readonly ConcurrentQueue<string> log = [];
    private readonly Session session = new(Path.GetTempPath());
    private readonly KernelServer server;
    private readonly Task running;
    private readonly TestClient client;

    public KernelServerTests()
    {
        server = new KernelServer(file, session, log.Enqueue);
        running = server.RunAsync();
        client = new TestClient(file);
    }

    public void Dispose()
    {
        client.Dispose();
        server.Dispose();
        session.Dispose();
    }

    [Fact]
    public void The_messages_of_a_cell_arrive_in_order_from_busy_to_idle()
    {
        var request = client.Execute("Console.Write(1); Console.Error.Write(2); var d = display(3); d.Update(4); "
            + "ClearOutput(); 5");
        Assert.Equal(
            ["execute_input", "stream", "stream", "display_data", "clear_output", "update_display_data", "execute_result"],
            client.Heard(request).Select(message => message.Type).Order(StringComparer.Ordinal).OrderBy(Rank));
        var reply = client.Reply();
        Assert.Equal(("execute_reply", "ok", 1),
            (reply.Type, (string?)reply.Content["status"], (int)reply.Content["execution_count"]!));
        Assert.Equal(request.Id, (string?)reply.ParentHeader["msg_id"]);

        static int Rank(string type) => Array.IndexOf(
            ["execute_input", "stream", "display_data", "clear_output", "update_display_data", "execute_result"], type);
    }

    [Fact]
    public void An_error_is_sent_as_output_and_reply_and_aborts_queued_cells()
    {
        var first = client.Execute("Thread.Sleep(300);\nthrow new InvalidOperationException(\"no\");");
        var second = client.Execute("1");
        var error = Assert.Single(client.Heard(first), message => message.Type == "error").Content;
        Assert.Equal(("InvalidOperationException", "no"), ((string?)error["ename"], (string?)error["evalue"]));
        Assert.Contains("line 2", error["traceback"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("error", (string?)client.Reply().Content["status"]);
        Assert.Empty(client.Heard(second));
        Assert.Equal("aborted", (string?)client.Reply().Content["status"]);
        var third = client.Execute("throw new Exception();", new() { ["stop_on_error"] = false });
        var fourth = client.Execute("4");
        Assert.Contains(client.Heard(fourth), message => message.Type == "execute_result");
        Assert.NotNull(third);
    }

    [Fact]
    public void Silent_cells_have_no_output_and_user_expressions_are_evaluated()
    {
        var silent = client.Execute("var a = 20; a", new() { ["silent"] = true });
        Assert.Empty(client.Heard(silent));
        Assert.Equal("ok", (string?)client.Reply().Content["status"]);
        client.Execute("a = 21;", new() { ["user_expressions"] = new JsonObject { ["sum"] = "a + 1", ["wrong"] = "b" } });
        var values = client.Reply().Content["user_expressions"]!;
        Assert.Equal("22", (string?)values["sum"]!["data"]!["text/plain"]);
        Assert.Equal(("ok", "error", "CompilationError"),
            ((string?)values["sum"]!["status"], (string?)values["wrong"]!["status"], (string?)values["wrong"]!["ename"]));
        client.Execute("0", new() { ["store_history"] = false });
        client.Reply();
        client.Send("history_request", new() { ["hist_access_type"] = "tail", ["n"] = 10, ["output"] = false, ["raw"] = true });
        Assert.Equal("""[[1,1,"a = 21;"]]""", client.Reply().Content["history"]!.ToJsonString());
        client.Send("history_request", new() { ["hist_access_type"] = "search", ["pattern"] = "a*", ["output"] = true });
        Assert.Equal("""[[1,1,["a = 21;",null]]]""", client.Reply().Content["history"]!.ToJsonString());
    }

    [Fact]
    public void An_input_request_goes_to_the_client_that_sent_the_cell()
    {
        using var other = new TestClient(file);
        var request = client.Execute("Console.Write(\"name? \"); $\"hello {Console.ReadLine()}\"",
            new() { ["allow_stdin"] = true });
        var question = client.Question();
        Assert.Equal(request.Id, (string?)question.ParentHeader["msg_id"]);
        client.Answer(question, "Ada");
        var heard = client.Heard(request);
        Assert.Equal("name? ", (string?)heard.First(message => message.Type == "stream").Content["text"]);
        Assert.Equal("hello Ada", (string?)heard[^1].Content["data"]!["text/plain"]);
        Assert.Equal("hello Ada", (string?)other.Heard(request)[^1].Content["data"]!["text/plain"]);
        var refused = client.Execute("Console.ReadLine()", new() { ["allow_stdin"] = false });
        Assert.Contains(client.Heard(refused), message => message.Type == "error");
    }

    [Fact]
    public void An_interrupt_ends_a_running_cell_even_while_it_waits_for_input()
    {
        foreach (var code in new[] { "while (true) { }", "Console.ReadLine()" })
        {
            var request = client.Execute(code, new() { ["allow_stdin"] = true });
            client.Hear(request, "execute_input");
            if (code.Contains("Read", StringComparison.Ordinal)) client.Question();
            else Thread.Sleep(300);
            client.Send("interrupt_request", [], onControl: true);
            Assert.Equal("interrupt_reply", client.Reply(onControl: true).Type);
            Assert.Equal("KeyboardInterrupt", (string?)client.Reply().Content["ename"]);
        }
        client.Send("interrupt_request", [], onControl: true);   // nothing runs: nothing happens
        Assert.Equal("interrupt_reply", client.Reply(onControl: true).Type);
        client.Execute("7");
        Assert.Equal("ok", (string?)client.Reply().Content["status"]);
    }

    [Fact]
    public void A_late_output_is_assigned_to_the_cell_that_started_its_task()
    {
        var first = client.Execute("_ = Task.Run(async () => { await Task.Delay(400); Console.Write(\"late\"); });");
        Assert.Equal(["execute_input"], client.Heard(first).Select(message => message.Type));
        client.Execute("1");
        Assert.Equal("late", (string?)client.Hear(first, "stream").Content["text"]);
    }

    [Fact]
    public void Kernel_info_comm_and_editor_requests_are_answered()
    {
        client.Send("kernel_info_request", []);
        var info = client.Reply().Content;
        Assert.Equal(("5.4", "C#"), ((string?)info["protocol_version"], (string?)info["language_info"]!["name"]));
        client.Send("comm_info_request", []);
        Assert.Equal("{}", client.Reply().Content["comms"]!.ToJsonString());
        var open = client.Send("comm_open",
            new() { ["comm_id"] = "c1", ["target_name"] = "nobody", ["data"] = new JsonObject() });
        Assert.Equal(("comm_close", "c1"),
            (client.Heard(open)[0].Type,
            (string?)client.Hear(client.Send("comm_open", new() { ["comm_id"] = "c1" }), "comm_close").Content["comm_id"]));
        client.Send("complete_request", new() { ["code"] = "x", ["cursor_pos"] = 1 });
        Assert.Equal("complete_reply", client.Reply().Type);
        client.Send("inspect_request", new() { ["code"] = "x", ["cursor_pos"] = 1 });
        Assert.Equal("inspect_reply", client.Reply().Type);
        client.Send("is_complete_request", new() { ["code"] = "if (true) {" });
        Assert.Equal("is_complete_reply", client.Reply().Type);
        var heart = new RequestSocket(">" + file.Address(file.Heartbeat));
        using (heart)
        {
            heart.SendFrame("beat");
            Assert.True(heart.TryReceiveFrameString(TimeSpan.FromSeconds(30), out var echoed));
            Assert.Equal("beat", echoed);
        }
    }

    [Fact]
    public void Malformed_messages_are_dropped_and_the_next_valid_one_is_answered()
    {
        var good = client.Encode("kernel_info_request", []);
        byte[][] With(int at, byte[] frame) => [.. good.Select((old, i) => i == at ? frame : old)];
        var wrong = (byte[])good[1].Clone();
        wrong[0] ^= 1;
        client.Raw(With(1, wrong));
        client.Raw(With(1, []));
        client.Raw([Encoding.UTF8.GetBytes("hello")]);
        client.Raw([.. good.Take(4)]);
        var signer = new MessageSigner(file.Key);
        foreach (var header in new byte[][] { [0xff, 0xfe], "{"u8.ToArray(), "[]"u8.ToArray(), "{}"u8.ToArray(),
            "{\"msg_type\":\"a\",\"msg_type\":\"b\",\"msg_id\":\"1\"}"u8.ToArray(),
            Encoding.UTF8.GetBytes(new string('[', 5000)) })
        {
            byte[][] json = [header, .. good.Skip(3)];
            client.Raw([good[0], Encoding.ASCII.GetBytes(signer.Sign(json)), .. json]);
        }
        client.Send("no_such_request", new() { ["a"] = 1 });
        client.Send("execute_request", new() { ["code"] = 5, ["silent"] = "yes", ["user_expressions"] = new JsonArray() });
        Assert.Equal("execute_reply", client.Reply().Type);
        client.Send("kernel_info_request", []);
        Assert.Equal("kernel_info_reply", client.Reply().Type);
        Assert.Equal(11, log.Count);
        Assert.Contains(log, line => line.Contains("wrong signature", StringComparison.Ordinal));
    }

    [Fact]
    public void Large_outputs_arrive_completely()
    {
        var lines = client.Heard(client.Execute("for (var i = 0; i < 10_000; i++) Console.WriteLine(i);"));
        Assert.Equal(
            string.Concat(Enumerable.Range(0, 10_000).Select(i => $"{i}\n")),
            string.Concat(lines.Where(message => message.Type == "stream").Select(message => (string?)message.Content["text"])));
        var large = client.Heard(client.Execute("new string('x', 50_000_000).DisplayAs(\"text/plain\");"));
        Assert.Equal(50_000_000, ((string)large[^1].Content["data"]!["text/plain"]!).Length);
    }

    [Fact]
    public async Task A_shutdown_request_is_answered_and_ends_even_a_busy_kernel()
    {
        client.Hear(client.Execute("_ = Task.Run(() => { while (true) Console.Write(1); }); while (true) { }"), "execute_input");
        client.Send("shutdown_request", new() { ["restart"] = true }, onControl: true);
        var reply = client.Reply(onControl: true);
        Assert.Equal(("shutdown_reply", true), (reply.Type, (bool)reply.Content["restart"]!));
        await running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void A_second_front_end_with_the_same_identity_gets_its_replies()
    {
        var identity = "a session"u8.ToArray();
        TestClient third;
        using (var first = new TestClient(file, identity))
        {
            RequireReplies(first);
            using (var second = new TestClient(file, identity))   // the first is still open, and may still ask
            {
                RequireReplies(second);
                first.Send("kernel_info_request", []);
                RequireReplies(second);
            }
            third = new TestClient(file, identity);
            RequireReplies(third);
        }
        using (third) RequireReplies(third);
        RequireReplies(client);   // another identity is none of their business
    }

    private static void RequireReplies(TestClient asking)
    {
        foreach (var onControl in new[] { false, true })
        {
            var request = asking.Send("kernel_info_request", [], onControl);
            Assert.Equal(request.Id, (string?)asking.Reply(onControl).ParentHeader["msg_id"]);
        }
        var question = asking.Execute("Console.ReadLine()", new() { ["allow_stdin"] = true });
        asking.Answer(asking.Question(), "Ada");
        var reply = asking.Reply();
        Assert.Equal((question.Id, "ok"), ((string?)reply.ParentHeader["msg_id"], (string?)reply.Content["status"]));
    }

    [Fact]
    public void The_error_names_a_port_that_is_already_in_use()
    {
        using var other = new Session(Path.GetTempPath());
        var error = Assert.Throws<IOException>(() => new KernelServer(file, other, log.Enqueue));
        Assert.Contains($"hb_port: cannot listen on tcp://127.0.0.1:{file.Heartbeat}", error.Message, StringComparison.Ordinal);
    }
}
