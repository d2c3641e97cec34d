using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(OtherPrograms.Name)]
public sealed class PythonLanguageTests(SharedPython shared) : IClassFixture<SharedPython>
{
    private PythonSession Python => shared.Session;

    [SkippableFact]
    public async Task Cells_share_their_state_and_run_in_the_folder_of_the_notebook()
    {
        await Python.RunAsync("x = 1\ndef twice(n): return 2 * n");
        Assert.Equal("4\n", await Python.PrintedAsync("y = twice(x + 1)\nprint(y)"));
        File.WriteAllText(Path.Combine(Python.Folder, "beside.py"), "value = 7");
        Assert.Equal("7\n", await Python.PrintedAsync("import beside\nprint(beside.value)"));
    }

    [SkippableFact]
    public async Task All_kinds_of_output_arrive_in_order()
    {
        await Python.RunAsync("""
            import sys
            from IPython.display import display, clear_output, HTML, Image
            print("a", flush=True); print("e", file=sys.stderr, flush=True); print("b", flush=True)
            handle = display(HTML("<b>1</b>"), display_id=True)
            handle.update(HTML("<b>2</b>"))
            display({"application/x+json": {"n": [1, None]}, "text/plain": "json"}, raw=True)
            clear_output(wait=True)
            display(Image(data=b"\x89PNG\r\n\x1a\n", format="png"))
            6 * 7
            """);
        Assert.Collection(Python.Outputs,
            output => Assert.Equal(new StreamOutput("stdout", "a\n"), output),
            output => Assert.Equal(new StreamOutput("stderr", "e\n"), output),
            output => Assert.Equal(new StreamOutput("stdout", "b\n"), output),
            output => Assert.Equal("<b>1</b>", Assert.IsType<DisplayOutput>(output).Data["text/html"]),
            output => Assert.Equal("<b>2</b>", Assert.IsType<UpdateOutput>(output).Data["text/html"]),
            output => Assert.Equal("""{"n":[1,null]}""", Assert.IsType<DisplayOutput>(output).Data["application/x+json"]),
            output => Assert.Equal(new ClearOutput(true), output),
            output => Assert.Equal("iVBORw0KGgo=", Assert.IsType<DisplayOutput>(output).Data["image/png"].Trim()),
            output => Assert.Equal("42", Assert.IsType<DisplayOutput>(output).Data["text/plain"]));
        Assert.Equal(((DisplayOutput)Python.Outputs[3]).DisplayId, ((UpdateOutput)Python.Outputs[4]).DisplayId);
        Assert.Equal(["text/html", "text/plain"], ((DisplayOutput)Python.Outputs[3]).Data.Keys);
    }

    [SkippableFact]
    public async Task A_later_cell_updates_the_display_of_an_earlier_cell()
    {
        await Python.RunAsync("from IPython.display import display\nshown = display(1, display_id='one')");
        await Python.RunAsync("shown.update(2)");
        var update = Assert.IsType<UpdateOutput>(Assert.Single(Python.Outputs));
        Assert.Equal(("one", "2"), (update.DisplayId, update.Data["text/plain"]));
    }

    [SkippableFact]
    public async Task Thousands_of_outputs_all_arrive()
    {
        await Python.RunAsync("from IPython.display import display\nfor i in range(2000): display(i)");
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"{i}"),
            Python.Outputs.Cast<DisplayOutput>().Select(output => output.Data["text/plain"]));
    }

    [SkippableFact]
    public async Task The_traceback_names_cells_and_lines_of_the_notebook()
    {
        using var own = new PythonSession();
        await own.RunAsync("\n\ndef fail(n):\n    return n / 0");
        var error = await own.FailAsync("#\n\nx = 5\nfail(x)");
        Assert.Equal(("ZeroDivisionError", "division by zero", 4), (error.Kind, error.Message, error.Line));
        var text = ResearchKit.Kernel.Cells.TerminalText.Plain(string.Join('\n', error.Traceback));
        Assert.Contains("cell 2, line 4", text, StringComparison.Ordinal);
        Assert.Contains("cell 1, line 4", text, StringComparison.Ordinal);
        Assert.EndsWith("ZeroDivisionError: division by zero", text, StringComparison.Ordinal);
        Assert.Equal("5\n", await own.PrintedAsync("print(x)"));
    }

    [SkippableTheory]
    [InlineData("\n\nx = = 2", 3)]
    [InlineData("\n    y = 1\n    y / 0", 3)]
    public async Task Leading_blank_lines_count(string code, int line) => Assert.Equal(line, (await Python.FailAsync(code)).Line);

    [SkippableFact]
    public async Task A_cell_magic_may_follow_blank_lines() =>
        Assert.Equal("3\n", await Python.PrintedAsync("\n\n%%capture kept\nprint(3)")
            + await Python.PrintedAsync("print(kept.stdout, end='')"));

    [SkippableFact]
    public async Task Earlier_output_is_shown_before_a_cell_asks_for_input()
    {
        Python.Input = (prompt, secret) => $"{Python.Text}{prompt}{secret}";
        Assert.Equal("hello\nhello\nname? False\n", await Python.PrintedAsync("print('hello')\nprint(input('name? '))"));
        Assert.Equal("key? True\n", await Python.PrintedAsync("import getpass\nprint(getpass.getpass('key? '))"));
        Python.Input = null;
        Assert.Equal("StdinNotImplementedError", (await Python.FailAsync("input()")).Kind);
    }

    [SkippableTheory]
    [InlineData("while True: pass")]
    [InlineData("import time\ntime.sleep(100)")]
    [InlineData("import asyncio\nawait asyncio.sleep(100)")]
    [InlineData("!sleep 100")]
    public async Task An_interrupted_cell_stops_and_its_variables_are_kept(string code)
    {
        await Python.RunAsync("x = 1");
        var thrown = await Python.InterruptAsync($"x = 2\n{code}");   // of cells that would take longer than that waits
        if (!code.StartsWith('!')) Assert.IsType<OperationCanceledException>(Assert.IsType<CellException>(thrown).InnerException);
        Assert.IsNotType<TimeoutException>(thrown);
        Assert.Equal("2\n", await Python.PrintedAsync("print(x)"));
    }

    [SkippableFact]
    public async Task A_cell_that_catches_its_KeyboardInterrupt_succeeds()
    {
        var thrown = await Python.InterruptAsync("import time\ntry:\n    time.sleep(100)\nexcept KeyboardInterrupt:\n    "
            + "print('saved')");
        Assert.Null(thrown);
        Assert.EndsWith("saved\n", Python.Text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task If_Python_exits_the_cell_gives_the_exit_code_and_the_next_cell_restarts_it()
    {
        using var own = new PythonSession();
        await own.RunAsync("x = 1");
        var error = await own.FailAsync("import os, sys\nprint('heard')\nos.write(sys.__stderr__.fileno(), b'the last "
            + "words\\n')\nsys.stdout.flush()\nos._exit(3)");
        Assert.Equal("PythonEnded", error.Kind);
        Assert.Contains("exit code 3", error.Message, StringComparison.Ordinal);
        Assert.Empty(own.Notes);
        Assert.Equal("False\n", await own.PrintedAsync("print('x' in globals())"));
        Assert.Contains("exit code 3", Assert.Single(own.Notes), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_native_crash_is_reported_with_its_signal_and_the_output_of_faulthandler()
    {
        using var own = new PythonSession();
        var error = await own.FailAsync("import faulthandler, ctypes\nctypes.string_at(0)");
        Assert.Contains("signal 11 (segmentation fault)", error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Traceback, line => line.Contains("Segmentation fault", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task After_exit_the_next_cell_starts_a_new_process()
    {
        using var own = new PythonSession();
        await own.RunAsync("exit()");
        Assert.Equal("1\n", await own.PrintedAsync("print(1)"));
        Assert.Single(own.Notes);
    }

    [SkippableFact]
    public async Task Exit_with_keep_kernel_keeps_the_variables()
    {
        using var own = new PythonSession();
        await own.RunAsync("x = 1\nexit(keep_kernel=True)");
        Assert.Equal("1\n", await own.PrintedAsync("print(x)"));
        Assert.Empty(own.Notes);
    }

    [SkippableFact]
    public async Task Late_output_of_a_thread_is_still_shown()
    {
        using var own = new PythonSession();   // after an interrupt, ipykernel keeps such output until the next cell
        await own.RunAsync("import threading, time\ndef later():\n    time.sleep(0.5)\n    "
            + "print('late')\nthreading.Thread(target=later).start()");
        var before = own.Outputs.ToList();
        for (var i = 0; i < 100 && own.Text.Length == 0; i++) await Task.Delay(50);
        Assert.Empty(before);
        Assert.Equal("late\n", own.Text);
    }

    [SkippableFact]
    public async Task Completion_inspection_and_completeness_requests_are_answered()
    {
        using var own = new PythonSession();
        Assert.Empty(own.Language.Variables);
        Assert.Empty((await own.Language.Services.CompleteAsync("im", 2, default)).Items);
        await own.RunAsync("def frobnicate(n):\n    '''Frobs n times.'''");
        const string code = "'😀'; frobni";
        var found = await own.Language.Services.CompleteAsync(code, code.Length, default);
        Assert.Contains(found.Items, item => item.Text == "frobnicate" && item.Kind == "function");
        Assert.Equal("frobni", code[found.Start..found.End]);
        Assert.Contains("Frobs n times.", (await own.Language.Services.InspectAsync("frobnicate", 3, default))!.Text,
            StringComparison.Ordinal);
        Assert.Equal(new CodeCompleteness(CodeStatus.Incomplete, "    "), own.Language.Services.IsComplete("for i in range(3):"));
        Assert.Equal(CodeStatus.Complete, own.Language.Services.IsComplete("x = 1").Status);
    }
}
