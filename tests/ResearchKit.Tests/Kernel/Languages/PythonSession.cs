using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.Python;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>Python cells one after the other, and what they gave.</summary>
internal sealed class PythonSession : IDisposable
{
    private static readonly Lazy<string?> Missing = new(WhatIsMissing);
    private readonly TemporaryFolder folder = new();
    private readonly SessionOutputs session = new(TimeSpan.Zero);
    private int count;

    public PythonSession()
    {
        Skip.If(Missing.Value is not null, Missing.Value);
        Language = new PythonLanguage(folder.Path);
    }

    public PythonLanguage Language { get; }

    public string Folder => folder.Path;

    public List<Output> Outputs { get; } = [];

    public List<string> Notes { get; } = [];

    public Func<string, bool, string>? Input { get; set; }

    /// <summary>What went to the console, both streams.</summary>
    public string Text => string.Concat(Outputs.OfType<StreamOutput>().Select(stream => stream.Text));

    /// <summary>Runs one cell; its outputs replace those before.</summary>
    public async Task RunAsync(string code, CancellationToken cancellation = default)
    {
        Outputs.Clear();
        var cell = new CellOutputs(session, Add);
        var scope = new CellScope(cell, Input, cancellation);
        scope.Enter();
        try
        {
            var context = new CellContext($"cell {++count}", Notes.Add, cancellation)
            {
                Run = _ =>
                throw new InvalidOperationException("Python cells run elsewhere.")
            };
            Assert.False((await Language.RunAsync(code, context)).Exists);
        }
        finally
        {
            scope.Leave();
            cell.End();
        }
    }

    /// <summary>Runs a cell that fails, and returns how.</summary>
    public async Task<CellException> FailAsync(string code) => await Assert.ThrowsAsync<CellException>(() => RunAsync(code));

    /// <summary>What a cell prints.</summary>
    public async Task<string> PrintedAsync(string code)
    {
        await RunAsync(code);
        return Text;
    }

    /// <summary>Interrupts a cell when it has printed that it runs; returns what it threw.</summary>
    public async Task<Exception?> InterruptAsync(string code)
    {
        using var source = new CancellationTokenSource();
        var running = RunAsync($"print('begun')\n{code}", source.Token);
        while (!running.IsCompleted && !Heard("begun"))
            await Task.Delay(20);
        await Task.Delay(100);
        await source.CancelAsync();
        return await Record.ExceptionAsync(() => running.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    public void SkipWithout(string module)
    {
        if (Task.Run(() => PrintedAsync($"import importlib.util\nprint(importlib.util.find_spec('{module}') is not None)"))
            .GetAwaiter().GetResult().Trim() != "True")
            Skip.If(true, $"The Python that runs the cells has no {module}.");
    }

    public void Dispose()
    {
        Language.Dispose();
        session.Dispose();
        folder.Dispose();
    }

    private bool Heard(string text)
    {
        lock (Outputs) return Text.Contains(text, StringComparison.Ordinal);
    }

    private void Add(Output output)
    {
        lock (Outputs) Outputs.Add(output);
    }

    private static string? WhatIsMissing()
    {
        try
        {
            Task.Run(() => PythonFinder.FindAsync(Environment.GetEnvironmentVariable, _ => { }, CancellationToken.None))
                .GetAwaiter().GetResult();
            return null;
        }
        catch (CellException missing)
        {
            return string.Join(' ', missing.Traceback);
        }
    }
}
