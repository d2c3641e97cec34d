using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.FSharp;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpStopChecksTests(FSharpCells cells)
{
    private static readonly Lazy<FSharpSession> Parser = new(() => new FSharpSession(Path.GetTempPath()));

    [Theory]
    [InlineData("while true do ()", 1)]
    [InlineData("while true do\n    ()", 1)]
    [InlineData("let mutable n = 0\nwhile n < 3\n      && n < 5 do\n    n <- n + 1 // up\n    printf \"\"", 1)]
    [InlineData("for i = 1 to 3 do\n    for j in [1; 2] do printf \"\"", 2)]
    [InlineData("(for i in 1 .. 3 do ignore i) |> ignore; printf \"\"", 1)]
    [InlineData("let rec f n = match n with\n              | 0 -> 1\n              | n -> n * f (n - 1)", 1)]
    [InlineData("let rec f n : int = f n\nand g n =\n    f n", 2)]
    [InlineData("let rec f = function\n    | 0 -> 1\n    | n -> f n", 2)]
    [InlineData("let rec f = function 0 -> 1 | n -> f n", 1)]
    [InlineData("let outer x =\n    let rec go n = go (n + 1)\n    go x", 1)]
    [InlineData("type T() =\n    let mutable a = 1\n    new(b: int) = T()\n    member _.P = a\n    member this.M(n) = this.M(n + 1)\n    override _.ToString() = \"\"", 2)]
    [InlineData("seq { while true do yield 1 }", 1)]
    [InlineData("[ for i in 1 .. 3 -> i ]", 0)]
    [InlineData("[ for i in 1 .. 3 do\n    i ]", 1)]
    [InlineData("async { for i in 1 .. 3 do do! Async.Sleep 1 }", 1)]
    [InlineData("query { for i in [1] do\n        where (i > 0)\n        select i }", 0)]
    [InlineData("<@ while true do () @>", 0)]
    [InlineData("$\"{(for i in [1] do ignore i)}\"", 0)]
    [InlineData("[1] |> List.iter (fun x -> ignore x)", 0)]
    [InlineData("[1] |> List.iter (fun x ->\n    let y = x\n    ignore y)", 1)]
    [InlineData("let f x = x + 1\nlet s = \"while true do ()\" // while true do ()", 0)]
    [InlineData("while true do", 0)]
    public void Checks_are_inserted_into_code_that_could_run_forever(string code, int checks)
    {
        var text = FSharpStopChecks.AddTo(code, "cell 1", Parser.Value.Parse);
        Assert.Equal(checks, text.Split("StopCheck.Enter").Length - 1);
        Assert.Equal(checks == 0, text == code);
        Assert.Equal(code.Replace("\n", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal),
            WithoutChecks(text));
    }

    [Theory]
    [InlineData("[ for i in 1 .. 3 do\n    i ]", "[1; 2; 3]")]
    [InlineData("[ for i in 1 .. 3 do if i > 1 then yield i ]", "[2; 3]")]
    [InlineData("let rec fact n : int = if n = 0 then 1\n                       else n * fact (n - 1)\n[fact 4]", "[24]")]
    [InlineData("let mutable n = 0\nlet l = [\n    while n < 2 do n <- n + 1\n                   n\n]\nl", "[1; 2]")]
    [InlineData("query { for i in [1; 2] do\n        where (i > 1)\n        select i } |> List.ofSeq", "[2]")]
    [InlineData("let rec last = function [] -> 0 | [x] -> x | _ :: rest -> last rest\n[last [1; 2]]", "[2]")]
    [InlineData("let rec down n = if n = 0 then [] else down (n - 1)\ndown 1000000 @ [1]", "[1]")]
    [InlineData("type Own() =\n    member _.For(l, f) = List.collect f l\n    member _.Yield x = [x]\nlet own = Own()\nown { for i in [1; 2] do yield i }", "[1; 2]")]
    [InlineData("type W() =\n    member _.While(c, f) = (while c () do f () done)\n    member _.Zero() = ()\n    member _.Delay f = f\n    member _.Run f = f ()\nlet mutable k = 0\nlet w = W()\nw { while (k <- k + 1; k < 3) do () }\n[k]", "[3]")]
    public async Task Inserted_checks_do_not_change_the_value_of_a_cell(string code, string value) =>
        Assert.Equal(value, (await cells.ValueAsync(code))!.ToString());

    [Theory]
    [InlineData("while true do ()")]
    [InlineData("let rec spin () = spin ()\nspin ()")]
    [InlineData("let rec spin = function\n    | 0 -> spin 1\n    | n -> spin (n + 1)\nspin 0 |> ignore")]
    [InlineData("for x in Seq.initInfinite id do\n    try failwith \"\" with _ -> ()")]
    [InlineData("Seq.initInfinite id |> Seq.iter (fun x ->\n    let y = x\n    ignore y)")]
    [InlineData("seq { while true do yield 1 } |> Seq.length")]
    [InlineData("type Spin() =\n    member this.Go(n: int) : int = this.Go(n + 1)\nSpin().Go(1)")]
    [InlineData("Thread.Sleep 60000")]
    [InlineData("(task { while true do () } : Task<unit>).Wait()")]
    [InlineData("async { while true do do! Async.Sleep 1 } |> Async.RunSynchronously")]
    [InlineData("Task.Delay(60000, Cancellation).Wait()")]
    public async Task An_interrupted_cell_ends_and_the_session_continues(string code)
    {
        await cells.RunAsync("let kept = 5");
        using var interrupt = new CancellationTokenSource();
        var cell = cells.RunAsync($"printfn \"on\"\n{code}", interrupt.Token);
        await cells.HeardAsync("on");
        await interrupt.CancelAsync();
        // less than the longest sleep
        var stopped = await Assert.ThrowsAnyAsync<Exception>(() => cell.WaitAsync(TimeSpan.FromSeconds(50)));
        Assert.True(IsStop((stopped as CellException)?.InnerException ?? stopped), stopped.ToString());
        Assert.Equal(6, await cells.ValueAsync("kept + 1"));
    }

    private static bool IsStop(Exception error) => error is OperationCanceledException or ThreadInterruptedException
        || (error is AggregateException many && many.InnerExceptions.All(IsStop));

    private static string WithoutChecks(string text) => string.Concat(text.Split('\n')
        .Where(line => !line.Contains("StopCheck.Enter", StringComparison.Ordinal)
            && !line.StartsWith("# ", StringComparison.Ordinal)))
        .Replace(" ", "", StringComparison.Ordinal);
}
