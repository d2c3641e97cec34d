using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Sessions;

/// <summary>C# that Roslyn's scripts do not take, and recursion without end.</summary>
public sealed class CSharpCellTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Session session;
    private readonly List<Output> outputs = [];
    private int count;

    public CSharpCellTests() => session = new Session(folder.Path);

    public void Dispose()
    {
        session.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_using_declaration_ends_after_the_value_of_its_cell_was_shown()
    {
        await RunAsync("class Part(string name) : IDisposable, IAsyncDisposable\n{\n    public string Name => name;\n"
            + "    public void Dispose() => Console.Write($\"-{name}\");\n"
            + "    public ValueTask DisposeAsync() { Console.Write($\"~{name}\"); return default; }\n}");
        Assert.Equal("ab", await ValueAsync("using var a = new Part(\"a\");\nusing Part b = new(\"b\"), none = null;\n"
            + "await using var c = new Part(\"c\");\na.Name + b.Name"));
        Assert.Equal("~c-b-a", Text);
        var outcome = await session.ExecuteAsync(
            "using var d = new Part(\"d\");\nthrow new Exception(\"x\");", ++count, outputs.Add);
        Assert.Equal(("x", "~c-b-a-d"), (outcome.Error!.Message, Text));
    }

    [Fact]
    public async Task What_is_not_disposable_is_refused_at_its_place()
    {
        var error = await FailAsync("var fine = 1;\n  using var x = 5;");
        Assert.StartsWith("(2,17): error CS0315", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Namespaces_are_compiled_apart_and_replaced_when_they_are_declared_again()
    {
        await RunAsync("using System.Globalization;");
        await RunAsync("namespace Lab\n{\n    class Hidden { internal int X = 1; public int Y { get; internal set; } }\n"
            + "    enum Kind { A, B }\n    static class Info { public static string Name => CultureInfo.InvariantCulture.Name "
                + "+ Kind.B; }\n}");
        Assert.Equal("3B", await ValueAsync("using Lab;\nvar h = new Hidden { X = 1, Y = 2 };\n(h.X + h.Y) + Info.Name"));
        await RunAsync("namespace Lab { class Hidden { public int X = 40; } }");
        Assert.Equal("40", await ValueAsync("new Lab.Hidden().X"));
        var error = await FailAsync("namespace Wrong\n{\n    class Q { int x = \"text\"; }\n}");
        Assert.Equal(3, error.Line);
    }

    [Fact]
    public async Task Extension_methods_of_a_cell_see_the_types_of_earlier_cells()
    {
        await RunAsync("record Point(int A);");
        Assert.Equal("( 2, 6, 5, True )", await ValueAsync(
            "static class More\n{\n    public static int Up(this Point p, int by = 1) => p.A + by;\n"
            + "    public static void Raise(this ref int x) { x += 4; }\n"
            + "    static bool Is<T>(this T value) where T : class => value is not null;\n"
            + "    public static bool Has(this Point p) => p.Is();\n}\n"
            + "var n = 1; n.Raise();\n(new Point(1).Up(), More.Up(new Point(1), 5), n, new Point(0).Has())"));
        Assert.Equal("8", await ValueAsync("new Point(7).Up()"));
    }

    [Fact]
    public async Task Extension_blocks_work()
    {
        Assert.Equal("( 5, 2, 7 )", await ValueAsync("record Pair(double X, double Y);\n"
            + "static class Blocks\n{\n    extension(Pair p) { public double Norm => Math.Sqrt(p.X * p.X + p.Y * p.Y); }\n"
            + "    extension(string s) { public int Words() => s.Split(' ').Length; }\n"
            + "    extension(int) { public static int Lucky => 7; }\n}\n"
            + "(new Pair(3, 4).Norm, \"a b\".Words(), int.Lucky)"));
    }

    [Fact]
    public async Task Ordinary_files_are_imported_and_loaded_with_their_namespaces()
    {
        folder.File("one.cs", "using System.Text;\nnamespace One;\nclass First { public int V = 1; }\n");
        folder.File("two.cs",
            "using One;\nnamespace Two\n{\n    class Second : First { }\n}\nstatic class Top { public static int Two(this First f) "
            + "=> 2 * f.V; }\n");
        folder.File("three.csx", "#load \"two.cs\"\nint Three() => new Two.Second().V + 2;\n");
        Assert.Equal("2", await ValueAsync("#!import one.cs\n#!import two.cs\nnew Two.Second().Two()"));
        Assert.Equal("3", await ValueAsync("#load \"three.csx\"\nThree()"));
        folder.File("one.cs", "namespace One;\nclass First { public int V = 10; }\n");
        Assert.Equal("10", await ValueAsync("#!import one.cs\nnew One.First().V"));
        folder.File("bad.cs", "namespace Bad;\nclass X\n{\n    int y = nothing;\n}\n");
        Assert.Contains("CS0103", (await FailAsync("#!import bad.cs")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Func<int, int> f = null; f = n => f(n + 1) + 1;\nf(0)")]
    [InlineData("Action<int> f = null; f = n => f(n + 1);\nf(0);")]
    [InlineData("dynamic f = null; f = (Func<dynamic, dynamic>)(n => f(n + 1));\nf(0)")]
    [InlineData("class A { public int B => 1 + B; }\nnew A().B")]
    [InlineData("class A { public int B { get { return B; } } }\nnew A().B")]
    [InlineData("class A { public int B { set => B = value; } }\nnew A().B = 1;")]
    [InlineData("class A { public int this[int i] => this[i + 1]; }\nnew A()[0]")]
    [InlineData("class A { public static A operator +(A a, A b) => b + a; }\nnew A() + new A()")]
    [InlineData("class A { public static explicit operator int(A a) => (int)a; }\n(int)new A()")]
    [InlineData("class A { A next = new A(); }\nnew A()")]
    [InlineData("class A { A next = new(); }\nnew A()")]
    [InlineData("record A(int X) { public A Next { get; } = new(X + 1); }\nnew A(1)")]
    [InlineData("class A { public A() => new A(); }\nnew A()")]
    [InlineData("void F(int n) => F(n + 1);\nF(0);")]
    [InlineData("using System.Runtime.CompilerServices;\n"   // what optimization could turn into a loop
        + "[MethodImpl(MethodImplOptions.AggressiveOptimization)] void F(int n) => F(n + 1);\nF(0);")]
    [InlineData("int F() { int In(int n) => In(n + 1); return In(0); }\nF()")]
    [InlineData("async Task<int> F(int n) => await F(n + 1);\nawait F(0)")]
    [InlineData("async Task F(int n) { await F(n + 1); }\nawait F(0);")]
    [InlineData("Func<int, Task> f = null; f = async n => await f(n + 1);\nawait f(0);")]
    [InlineData("IEnumerable<int> F(int n) { foreach (var x in F(n + 1)) yield return x; }\nF(0).Count()")]
    [InlineData("namespace Deep { public class A { public static int F(int n) => F(n + 1); } }\nDeep.A.F(0)")]
    public async Task A_recursion_without_end_is_an_error_in_every_form(string code)
    {
        Assert.Equal("InsufficientExecutionStackException", (await FailAsync(code)).Name);
        Assert.Equal("2", await ValueAsync("1 + 1"));
    }

    [Fact]
    public async Task Checks_do_not_change_what_lambdas_are()
    {
        Assert.Equal("3", await ValueAsync("using System.Linq.Expressions;\nFunc<int, int> inc = x => x + 1;\n"
            + "Expression<Func<int, int>> tree = x => Math.Abs(x) + inc(x - x);\ntree.Compile()(2)"));
        Assert.Equal("( 5, 2 )",
            await ValueAsync("var list = new List<int>();\nnew[] { 1, 2 }.ToList().ForEach(x => list.Add(inc(x)));\n"
            + "Func<Task> later = async () => await Task.Run(() => inc(1));\nawait later();\n(list.Sum(x => inc(x) - 1), "
                + "list.Count)"));
    }

    [Theory]
    [InlineData('(', ')')]
    [InlineData('[', ']')]
    [InlineData('{', '}')]
    public async Task Code_that_nests_too_deeply_is_refused_in_one_sentence(char open, char close)
    {
        var error = await FailAsync("var x = 1;\n" + new string(open, 100_000) + "1" + new string(close, 100_000));
        Assert.Equal(("CompilationError", 2), (error.Name, error.Line!.Value));
        Assert.Contains("nest deeper than 500 levels", error.Message, StringComparison.Ordinal);
        Assert.Equal("501", await ValueAsync($"\"{new string(open, 501)}\".Length"));
    }

    private string Text => string.Concat(outputs.OfType<StreamOutput>().Select(output => output.Text));

    private async Task RunAsync(string code)
    {
        var outcome = await session.ExecuteAsync(code, ++count, outputs.Add);
        Assert.True(outcome.Status == CellStatus.Succeeded, string.Join('\n', outcome.Error?.Traceback ?? []));
    }

    private async Task<string> ValueAsync(string code)
    {
        await RunAsync(code);
        return outputs.OfType<ResultOutput>().Last().Data["text/plain"];
    }

    private async Task<ErrorOutput> FailAsync(string code) =>
        (await session.ExecuteAsync(code, ++count, outputs.Add)).Error
            ?? throw new InvalidOperationException("The cell succeeded.");
}
