using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Sessions;

public sealed class SessionTests : IDisposable
{
    // a cell on a busy machine may take longer to stop than a person would wait; a wait is interrupted after a quarter of it
    private readonly Session session = new(Path.GetTempPath()) { Grace = TimeSpan.FromSeconds(8) };
    private readonly List<Output> outputs = [];
    private int count;

    public void Dispose() => session.Dispose();

    [Fact]
    public async Task Cells_share_their_state_and_may_redefine_names()
    {
        await RunAsync("var x = 1; record Point(int X); int Twice(int n) => 2 * n;");
        Assert.Equal("4", await ValueAsync("var y = await Task.FromResult(x + 1);\nTwice(y)"));
        await RunAsync("var x = \"text\"; record Point(string X);");
        Assert.Equal("text text", await ValueAsync("$\"{x} {new Point(x).X}\""));
    }

    [Theory]
    [InlineData("var a = 1;", 0)]
    [InlineData("", 0)]
    [InlineData("using System.Text;", 0)]
    [InlineData("// only a comment", 0)]
    [InlineData("#r \"nuget: TorchSharp-cpu\"\n", 0)]
    [InlineData("1 + 1;", 0)]
    [InlineData("Console.Write(\"\")", 0)]
    [InlineData("await Task.CompletedTask", 0)]
    [InlineData("1 + 1", 1)]
    [InlineData("(string)null", 1)]
    [InlineData("display(1)", 0)]
    [InlineData("return 5;", 1)]
    [InlineData("return (string)null;", 1)]
    [InlineData("foreach (var n in new[] { 4, 5 }) { if (n > 4) return n; }\nConsole.Write(\"not reached\");", 1)]
    [InlineData("if (Environment.ProcessorCount < 0) return 5;", 0)]
    [InlineData("return;", 0)]
    public async Task Only_a_final_expression_without_semicolon_or_a_returned_value_is_the_result(string code, int values)
    {
        await RunAsync(code, mayFail: code == "1 + 1;");   // which the compiler refuses
        Assert.Equal(values, outputs.OfType<ResultOutput>().Count());
    }

    [Fact]
    public async Task A_compile_error_names_line_and_column_and_shows_the_source()
    {
        var outcome = await RunAsync("var fine = 1;\nint broken = \"text\";", mayFail: true);
        Assert.Equal(CellStatus.Failed, outcome.Status);
        var error = Assert.Single(outputs.OfType<ErrorOutput>());
        Assert.Equal(2, error.Line);
        Assert.StartsWith("(2,14): error CS0029:", error.Message, StringComparison.Ordinal);
        Assert.Equal(["    int broken = \"text\";", "                 ^^^^^^"], error.Traceback.Skip(1).Take(2));
        Assert.Equal("5", await ValueAsync("5"));
    }

    [Fact]
    public async Task A_runtime_error_names_cells_and_lines_and_keeps_assigned_variables()
    {
        await RunAsync("var kept = 1;\nint Fail(int n)\n{\n    if (n > 0) throw new InvalidOperationException(\"no\");\n    "
            + "return n;\n}");
        await RunAsync("kept = 2;\n\nFail(kept);", mayFail: true);
        var error = Assert.Single(outputs.OfType<ErrorOutput>());
        Assert.Equal(("InvalidOperationException", "no", 3), (error.Name, error.Message, error.Line));
        Assert.Contains("   at cell 1, line 4: if (n > 0) throw new InvalidOperationException(\"no\");", error.Traceback);
        Assert.Contains("   at cell 2, line 3: Fail(kept);", error.Traceback);
        Assert.Equal("2", await ValueAsync("kept"));
    }

    [Fact]
    public async Task Console_output_becomes_two_ordered_streams_and_reading_is_refused()
    {
        await RunAsync("Console.Write(\"a\"); Console.WriteLine(1); Console.Error.Write(\"e\"); var t = new Thread(() => "
            + "Console.Write(\"b\")); t.Start(); t.Join(); display(\"d\"); Console.Write(\"c\");");
        Assert.Equal([("stdout", "a1\n"), ("stderr", "e"), ("stdout", "b"), ("stdout", "c")],
            outputs.OfType<StreamOutput>().Select(stream => (stream.Name, stream.Text)));
        Assert.IsType<DisplayOutput>(outputs[3]);
        await RunAsync("Console.ReadLine();", mayFail: true);
        Assert.Contains("Nobody can be asked here", outputs.OfType<ErrorOutput>().Last().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Earlier_output_is_shown_before_a_cell_reads_input()
    {
        session.Input = (prompt, secret) =>
            $"{string.Concat(outputs.OfType<StreamOutput>().Select(stream => stream.Text))}{prompt}{secret}";
        Assert.Equal("name? False", await ValueAsync("Console.Write(\"name? \"); Console.ReadLine()"));
        Assert.Equal("n", await ValueAsync("(char)Console.Read()"));
    }

    [Fact]
    public async Task Late_output_of_a_background_task_goes_to_the_cell_that_started_it()
    {
        List<Output> first = [], second = [];
        await session.ExecuteAsync("_ = Task.Run(async () => { await Task.Delay(300); Console.Write(\"late\"); display(5); });",
            1, first.Add);
        await session.ExecuteAsync("await Task.Delay(600); Console.Write(\"own\");", 2, second.Add);
        Assert.Equal("late", Assert.Single(first.OfType<StreamOutput>()).Text);
        Assert.Equal("5", Assert.Single(first.OfType<DisplayOutput>()).Data["text/plain"]);
        Assert.Equal("own", Assert.Single(second.OfType<StreamOutput>()).Text);
    }

    [Fact]
    public async Task Values_are_shown_in_their_preferred_format_and_as_text()
    {
        await RunAsync("display(new { A = 1 }); display(\"<b>\", \"text/html\"); \"<i>\".DisplayAs(\"text/html\"); "
            + "HTML(\"<u>x</u>\").Display(); \"plain\"");
        var shown = outputs.OfType<DisplayOutput>().Select(display => display.Data).ToList();
        Assert.Equal(["text/html", "text/plain"], shown[0].Keys);
        Assert.Equal(["text/html"], shown[1].Keys);
        Assert.Contains("&lt;b&gt;", shown[1]["text/html"], StringComparison.Ordinal);
        Assert.Equal("<i>", shown[2]["text/html"]);
        Assert.Equal("<u>x</u>", shown[3]["text/html"]);
        Assert.Equal("plain", Assert.Single(outputs.OfType<ResultOutput>()).Data["text/plain"]);
    }

    [Fact]
    public async Task Display_updates_are_rate_limited_and_the_last_is_always_shown()
    {
        await RunAsync("DisplayedValue shown = display(0); for (var i = 1; i <= 2000; i++) { shown.Update(i); if (i % 500 == "
            + "0) await Task.Delay(60); }");
        var updates = outputs.OfType<UpdateOutput>().ToList();
        Assert.InRange(updates.Count, 1, 200);
        Assert.Equal("2000", updates[^1].Data["text/plain"]);
        Assert.All(updates, update => Assert.Equal(outputs.OfType<DisplayOutput>().Single().DisplayId, update.DisplayId));
        await RunAsync("shown.Update(\"later\");");
        Assert.Equal("later", outputs.OfType<UpdateOutput>().Last().Data["text/plain"]);
    }

    [Fact]
    public async Task A_formatter_that_throws_is_reported_and_the_other_mime_types_stay()
    {
        var outcome = await RunAsync("class Odd { }\nFormatter.Register<Odd>(odd => throw new Exception(\"ouch\"), "
            + "\"text/html\");\nnew Odd().Display();\nConsole.Write(\"after\");");
        Assert.Equal(CellStatus.Succeeded, outcome.Status);
        var streams = outputs.OfType<StreamOutput>().ToLookup(output => output.Name, output => output.Text);
        Assert.Contains("text/html formatter of", Assert.Single(streams["stderr"]), StringComparison.Ordinal);
        Assert.Equal("after", Assert.Single(streams["stdout"]));
        Assert.True(outputs.OfType<DisplayOutput>().Single().Data.ContainsKey("text/plain"));
    }

    [Fact]
    public async Task A_cell_sees_the_types_of_this_process()
    {
        await RunAsync("using ResearchKit.Native;\nvar type = typeof(NativeLibraries); var torch = typeof(TorchSharp.torch);");
        AppDomain.CurrentDomain.SetData("test-types", null);
        await RunAsync("AppDomain.CurrentDomain.SetData(\"test-types\", new[] { type, torch });");
        Assert.Equal([typeof(ResearchKit.Native.NativeLibraries), typeof(TorchSharp.torch)],
            (Type[])AppDomain.CurrentDomain.GetData("test-types")!);
    }

    [Theory]
    [InlineData("try { while (true) { Console.Write(\".\"); Thread.Sleep(1); } } finally { Console.Write(\"clean\"); }")]
    [InlineData("await Task.Delay(-1, Cancellation);")]
    [InlineData("var d = display(1); while (true) { d.Update(2); Thread.Sleep(1); }")]
    [InlineData("while (true) { }")]
    [InlineData("while (true) { try { Thread.Sleep(1); } catch { } }")]
    [InlineData("Thread.Sleep(100_000);")]
    [InlineData("await Task.Delay(100_000);")]
    [InlineData("Task.Delay(100_000).Wait();")]
    [InlineData("var o = new object(); new Thread(() => { lock (o) Thread.Sleep(5000); }) { IsBackground = true }.Start(); Thread.Sleep(100); lock (o) { }")]
    [InlineData("var a = torch.ones(9, 9); while (true) { using var b = a.matmul(a); }")]
    [InlineData("await Task.Yield(); while (true) { }")]
    [InlineData("await Task.Delay(1); for (;;) ;")]
    [InlineData("Parallel.For(0, 4, i => { while (true) try { } catch { } });")]
    [InlineData("again: goto again;")]
    [InlineData("do { try { throw new Exception(); } finally { foreach (var i in Enumerable.Range(0, int.MaxValue)) if (i < 0) break; } } while (true);")]
    [InlineData("int Fibonacci(int n) => n < 2 ? n : Fibonacci(n - 1) + Fibonacci(n - 2); Fibonacci(60)")]
    [InlineData("class Counter { public long Value; public Counter Count() { while (Value >= 0) if (Value > 5) Value -= 5; else Value++; return this; } } new Counter().Count()")]
    public async Task An_interrupt_ends_the_cell_and_variables_are_kept(string code)
    {
        await RunAsync("using TorchSharp; var x = 7;");
        var outcome = await InterruptAsync(session, $"Console.Write(\"begun\");\n{code}");
        Assert.Equal(CellStatus.Interrupted, outcome.Status);
        Assert.DoesNotContain("unheard", outcome.Error!.Message, StringComparison.Ordinal);
        Assert.Equal("7", await ValueAsync("x"));
        await RunAsync("Thread.Sleep(1);");
    }

    [Fact]
    public async Task Variables_assigned_before_an_interrupted_sleep_are_kept()
    {
        var outcome = await InterruptAsync(session, "var kept = 5; Console.Write(\"begun\"); Thread.Sleep(100_000);");
        Assert.Equal(CellStatus.Interrupted, outcome.Status);
        Assert.Equal("5", await ValueAsync("kept"));
    }

    [Fact]
    public async Task Checks_in_loops_do_not_change_error_positions_or_results()
    {
        await RunAsync("int Half(int n) => n / 2; ref int First(int[] all) => ref all[0]; void Say() => "
            + "Console.Write(\"said\"); async Task WaitAsync() => await Task.Yield();\nSay(); await WaitAsync(); var all = "
            + "new[] { 1, 2 }; First(all) = Half(8); var sum = 0; foreach (var n in all) sum += n; while (sum < 9) sum++; if "
            + "(sum > 0) for (var i = 0; i < 3; i++) sum += i; else sum = 0;");
        Assert.Equal("12", await ValueAsync("sum"));
        Assert.Equal("6", await ValueAsync("Enumerable.Range(1, 3).Select(n => { return n; }).Sum()"));
        var wrong = await RunAsync("\nfor (var i = 0; i < 3; i++) { while (i > 1) missing(); }", mayFail: true);
        Assert.StartsWith("(2,45): error CS0103", wrong.Error!.Message, StringComparison.Ordinal);
        Assert.Contains(wrong.Error.Traceback, line => line == "    " + new string(' ', 44) + "^^^^^^^");
        var thrown = await RunAsync("void Deep()\n{\n    foreach (var n in all)\n        throw new "
            + "InvalidOperationException();\n}\nDeep();", mayFail: true);
        Assert.Equal(4, thrown.Error!.Line);
    }

    [Theory]
    [InlineData("torch.matmul(a, a)", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")]
    [InlineData("a.matmul(a)", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")]
    [InlineData("torch.autograd.grad([torch.ones(2).sum()], [torch.ones(3)])", "does not require grad")]
    [InlineData("torch.cummax(a, 7)", "Dimension out of range")]
    [InlineData("torch.cummin(a, 7)", "Dimension out of range")]
    [InlineData("await Task.Run(() => a.matmul(a))", "mat1 and mat2 shapes cannot be multiplied")]
    [InlineData("torch.jit.compile(\"def f(x):\\n  return y\\n\")", "undefined value y")]
    public async Task A_call_that_would_abort_the_process_in_libtorch_is_an_error_of_its_cell(string call, string message)
    {
        await RunAsync("using TorchSharp;\nvar a = torch.ones(2, 3);");
        var outcome = await RunAsync($"var fine = 1;\n{call}", mayFail: true);
        Assert.Equal(CellStatus.Failed, outcome.Status);
        Assert.Contains(message, outcome.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(2, outcome.Error.Line);
        Assert.Equal("7", await ValueAsync("a.sum().item<float>() + fine"));
    }

    [Fact]
    public async Task A_cell_that_ignores_the_interrupt_is_abandoned()
    {
        using var stubborn = new Session(Path.GetTempPath()) { Grace = TimeSpan.FromMilliseconds(100) };
        await stubborn.ExecuteAsync("var x = 7;", ++count, outputs.Add);
        var gate = new bool[2];   // whether the cell may end, and whether it has
        AppDomain.CurrentDomain.SetData("gate", gate);
        var outcome = await InterruptAsync(stubborn, """
            var gate = (bool[])AppDomain.CurrentDomain.GetData("gate");
            Console.Write("begun");
            var deaf = Enumerable.Repeat(1, int.MaxValue).TakeWhile(_ => !Volatile.Read(ref gate[0])).Count();
            try { Console.Write("unheard"); } finally { Volatile.Write(ref gate[1], true); }
            """);
        Assert.Equal(CellStatus.Interrupted, outcome.Status);
        Assert.Contains("goes on unheard", outcome.Error!.Message, StringComparison.Ordinal);
        Volatile.Write(ref gate[0], true);
        for (var waits = 0; waits < 3000 && !Volatile.Read(ref gate[1]); waits++) await Task.Delay(20);
        Assert.True(gate[1], "The cell did not end.");
        await stubborn.ExecuteAsync("x", ++count, outputs.Add);
        Assert.Equal("7", outputs.OfType<ResultOutput>().Last().Data["text/plain"]);
        Assert.Equal("begun", string.Concat(outputs.OfType<StreamOutput>().Select(stream => stream.Text)));
    }

    [Theory]
    [InlineData("int Deeper(int n) => Deeper(n + 1) + 1;\nDeeper(0)")]
    [InlineData("int Deeper(int n) { return Deeper(n + 1) + 1; }\nDeeper(0)")]
    public async Task Infinite_recursion_is_an_error_of_its_cell(string code)
    {
        var outcome = await RunAsync(code, mayFail: true);
        Assert.Equal("InsufficientExecutionStackException", outcome.Error!.Name);
        Assert.InRange(outcome.Error.Traceback.Count, 2, 50);
        Assert.Equal("7", await ValueAsync("7"));
    }

    /// <summary>Interrupts a cell a moment after it has written that it has begun.</summary>
    private async Task<CellOutcome> InterruptAsync(Session session, string code)
    {
        using var interrupt = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = session.ExecuteAsync(code, ++count, Hear, interrupt.Token);
        await Task.WhenAny(begun.Task, running);
        await Task.Delay(50);   // into what follows
        await interrupt.CancelAsync();
        return await running;

        void Hear(Output output)
        {
            outputs.Add(output);
            if (output is StreamOutput { Text: var text } && text.StartsWith("begun", StringComparison.Ordinal))
                begun.TrySetResult();
        }
    }

    private async Task<CellOutcome> RunAsync(string code, bool mayFail = false)
    {
        var outcome = await session.ExecuteAsync(code, ++count, outputs.Add);
        if (!mayFail) Assert.True(outcome.Status == CellStatus.Succeeded, string.Join('\n', outcome.Error?.Traceback ?? []));
        return outcome;
    }

    private async Task<string> ValueAsync(string code)
    {
        await RunAsync(code);
        return outputs.OfType<ResultOutput>().Last().Data["text/plain"];
    }
}
