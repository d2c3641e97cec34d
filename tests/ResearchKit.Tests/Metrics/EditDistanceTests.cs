using CsCheck;
using ResearchKit.Metrics;

namespace ResearchKit.Tests.Metrics;

public sealed class EditDistanceTests
{
    private static readonly Gen<char[]> Text = Gen.Char['a', 'c'].Array[0, 7];

    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "", 3)]
    [InlineData("abc", "abc", 0)]
    public void The_distance_is_correct_for_known_examples(string said, string wanted, int edits) =>
        Assert.Equal(edits, EditDistance.Between(said.ToArray(), wanted.ToArray()));

    [Fact]
    public void The_distance_equals_the_naive_recursion() =>
        Gen.Select(Text, Text).Sample((a, b) => EditDistance.Between(a, b) == Naive(a, b), iter: 300);

    [Fact]
    public void The_rate_is_the_edits_divided_by_the_length_of_the_targets() =>
        Assert.Equal(4.0 / 9, EditDistance.Rate<char>(["kitten".ToArray(), "x".ToArray()], ["sitting".ToArray(), "yx".ToArray()]),
            12);

    [Fact]
    public void Lists_of_different_lengths_and_empty_targets_are_refused()
    {
        Assert.Contains("1 predicted and 0 target",
            Assert.Throws<ArgumentException>(() => EditDistance.Rate<int>([[1]], [])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => EditDistance.Rate<int>([[1]], [[]]));
    }

    private static int Naive(ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        a.Length == 0 || b.Length == 0 ? Math.Max(a.Length, b.Length)
        : Math.Min(Math.Min(Naive(a[1..], b), Naive(a, b[1..])) + 1, Naive(a[1..], b[1..]) + (a[0] == b[0] ? 0 : 1));
}
