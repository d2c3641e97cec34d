using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;
using ResearchKit.Kernel.Kit;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.FSharp;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>F# cells without a notebook around them. Starting F# takes seconds, so the tests share one.</summary>
public sealed class FSharpCells : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private readonly SessionOutputs outputs = new(TimeSpan.FromMilliseconds(10));
    private readonly CellThread thread = new();
    private readonly TemporaryFolder folder = new();
    private List<Output> shown = [];
    private int count;

    public FSharpCells()
    {
        ConsoleRouter.Install();
        KitLoader.Load(value => CellFunctions.display(value).Update);
        Language = new FSharpLanguage(folder.Path);
    }

    public FSharpLanguage Language { get; }

    public string Folder => folder.Path;

    /// <summary>The latest cell's name.</summary>
    public string Cell => $"cell {count}";

    public void Dispose()
    {
        thread.Dispose();
        outputs.Dispose();
        folder.Dispose();
    }

    /// <summary>Runs a cell as a session does.</summary>
    internal async Task<(CellValue Value, IReadOnlyList<Output> Outputs)> RunAsync(string code,
        CancellationToken cancellation = default)
    {
        count++;
        var heard = shown = [];
        var cell = new CellOutputs(outputs, output =>
        {
            lock (heard) heard.Add(output);
        });
        var scope = new CellScope(cell, null, cancellation);
        var context = new CellContext(Cell, Console.WriteLine, cancellation)
        {
            Run = run =>
            thread.Run(() => ControlledCode.Run(run, Grace, cancellation))
        };
        try
        {
            return (await Task.Run(() =>
            {
                scope.Enter();
                return Language.RunAsync(code, context);
            }), heard);
        }
        finally
        {
            scope.Leave();
            cell.End();
        }
    }

    /// <summary>Waits until the running cell has written a line.</summary>
    internal async Task HeardAsync(string line)
    {
        for (var waited = 0; ; waited++)
        {
            lock (shown)
            {
                if (shown.OfType<StreamOutput>().Any(output => output.Text == $"{line}\n")) return;
            }
            Assert.True(waited < 3000, $"the cell did not write {line}");
            await Task.Delay(10);
        }
    }

    /// <summary>The value that a cell must have.</summary>
    internal async Task<object?> ValueAsync(string code)
    {
        var (value, _) = await RunAsync(code);
        Assert.True(value.Exists, $"expected a value of: {code}");
        return value.Value;
    }

    internal async Task<string> TextAsync(string code) =>
        string.Concat((await RunAsync(code)).Outputs.OfType<StreamOutput>().Select(output => output.Text));

    internal async Task<CellException> ErrorAsync(string code) => await Assert.ThrowsAsync<CellException>(() => RunAsync(code));
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedFSharp : ICollectionFixture<FSharpCells>
{
    public const string Name = "F# cells";
}
