using System.Text.Json.Nodes;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>Records, enums, dates and other values with a type of their own, from and to Python.</summary>
public sealed class PythonRecordsTests(SharedPython shared) : IClassFixture<SharedPython>
{
    private PythonSession Python => shared.Session;

    [SkippableFact]
    public async Task Records_enums_and_dates_go_to_Python()
    {
        foreach (var (value, expected) in new (object?, string)[]
        {
            (new List<Step> { new(1, 2.5), new(2, 1.5) }, "[{'At': 1, 'Loss': 2.5}, {'At': 2, 'Loss': 1.5}]"),
            (new { X = 1, Kind = DayOfWeek.Friday }, "{'X': 1, 'Kind': 'Friday'}"),
            (new List<(int, double)> { (1, 2.5) }, "[(1, 2.5)]"),
            (new Dictionary<DayOfWeek, Step> { [DayOfWeek.Monday] = new(1, 2) }, "{'Monday': {'At': 1, 'Loss': 2.0}}"),
            (new Dictionary<(int, int), string> { [(1, 2)] = "x" }, "{(1, 2): 'x'}"),
            (new HashSet<string> { "a" }, "{'a'}"),
            (new DateTime(2024, 1, 2, 3, 4, 5), "datetime.datetime(2024, 1, 2, 3, 4, 5)"),
            (new DateTime(2024, 1, 2, 0, 0, 0, DateTimeKind.Utc),
                "datetime.datetime(2024, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)"),
            (new DateOnly(2024, 1, 2), "datetime.date(2024, 1, 2)"),
            (TimeSpan.FromSeconds(1.5), "datetime.timedelta(seconds=1, microseconds=500000)"),
            (1.10m, "Decimal('1.10')"),
            (Guid.Empty, "UUID('00000000-0000-0000-0000-000000000000')"),
            (new string[,] { { "a", "b" } }, "[['a', 'b']]"),
            (Enumerable.Range(0, 2).Select(i => new Step(i, i)), "[{'At': 0, 'Loss': 0.0}, {'At': 1, 'Loss': 1.0}]"),
            (JsonNode.Parse("{\"a\": [1, 2.5, null, true]}"), "{'a': [1, 2.5, None, True]}"),
            (ListModule.OfSeq([1, 2]), "[1, 2]"),
            (FSharpOption<int>.Some(3), "3"),
            (FSharpResult<int, string>.NewError("no"), "{'Case': 'Error', 'ErrorValue': 'no'}"),
        })
        {
            await Python.Language.SetAsync("x", value, default);
            Assert.Equal($"{expected}\n", await Python.PrintedAsync("print(repr(x))"));
        }
    }

    [SkippableFact]
    public async Task Values_of_Python_come_back_with_their_types()
    {
        await Python.RunAsync("""
            import collections, dataclasses, datetime, decimal, enum, pathlib, uuid
            @dataclasses.dataclass
            class Point:
                x: int
                y: list
            Color = enum.Enum('Color', 'RED')
            Pair = collections.namedtuple('Pair', 'a b')
            """);
        foreach (var (code, expected) in new (string, object)[]
        {
            ("{1, 2}", new HashSet<long> { 1, 2 }), ("frozenset(['a'])", new HashSet<string> { "a" }),
            ("datetime.datetime(2024, 1, 2, 3, 4, 5, 6)", new DateTime(2024, 1, 2, 3, 4, 5).AddMicroseconds(6)),
            ("datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)",
                new DateTimeOffset(2024, 1, 2, 0, 0, 0, TimeSpan.Zero)),
            ("datetime.date(2024, 1, 2)", new DateOnly(2024, 1, 2)), ("datetime.time(1, 2, 3)", new TimeOnly(1, 2, 3)),
            ("datetime.timedelta(days=-1)", TimeSpan.FromDays(-1)), ("decimal.Decimal('1.10')", 1.10m),
            ("uuid.UUID(int=0)", Guid.Empty), ("pathlib.PurePosixPath('a/b')", "a/b"), ("Color.RED", "RED"),
            ("range(2)", new[] { 0L, 1L }),
            ("[Point(1, ['a'])]", new[] { new Dictionary<string, object?> { ["x"] = 1L, ["y"] = new[] { "a" } } }),
            ("Pair(1, 'x')", new Dictionary<string, object?> { ["a"] = 1L, ["b"] = "x" }),
            ("[decimal.Decimal(1), decimal.Decimal(2)]", new[] { 1m, 2m }),
        })
        {
            await Python.RunAsync($"x = {code}");
            var got = await Python.Language.GetAsync("x", default);
            Assert.Equal(expected, got);
            Assert.Equal(expected.GetType(), got!.GetType());
        }
    }

    [SkippableFact]
    public async Task Arrays_of_texts_and_dates_come_as_arrays()
    {
        Skip.If(await Python.PrintedAsync("import importlib.util; print(importlib.util.find_spec('numpy') is None)") == "True\n",
            "numpy is not installed.");
        await Python.RunAsync("import numpy\nx = numpy.array(['a', 'bc'])\ny = numpy.array(['2024-01-02'], "
            + "dtype='datetime64[D]')");
        Assert.Equal(new[] { "a", "bc" }, await Python.Language.GetAsync("x", default));
        Assert.Equal(new[] { new DateTime(2024, 1, 2) }, await Python.Language.GetAsync("y", default));
    }

    [SkippableFact]
    public async Task What_cannot_go_is_one_sentence()
    {
        var ring = new List<object>();
        ring.Add(ring);
        foreach (var (value, message) in new (object, string)[]
        {
            (ring, "contains itself"), (new Throwing(), "whose Value throws InvalidOperationException: no"),
            (new Action(() => { }), "type System.Action"), (Task.CompletedTask, "cannot be passed to Python"),
            (new object(), "System.Object"),
        })
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(() => Python.Language.SetAsync("x", value, default));
            Assert.Contains(message, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
        }
        await Python.RunAsync("import decimal\nx = decimal.Decimal('1e100')");
        var large = await Assert.ThrowsAsync<NotSupportedException>(() => Python.Language.GetAsync("x", default));
        Assert.Contains("1E+100", large.Message, StringComparison.Ordinal);
    }

    public sealed record Step(int At, double Loss);

    private sealed class Throwing
    {
        public int Value => throw new InvalidOperationException("no");
    }
}
