using CsCheck;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Tests.Data;

public sealed class CanonicalFormsTests
{
    [Theory]
    [InlineData("é", "e\u0301")]
    [InlineData("\u1E69", "s\u0323\u0307")]                // two marks, in the order of their classes
    [InlineData("각", "\u1100\u1161\u11A8")]
    [InlineData("가", "\u1100\u1161")]
    [InlineData("Å", "A\u030A")]
    [InlineData("=\u0301", "=\u0301")]
    [InlineData("\U0001112E", "\U00011131\U00011127")]
    public void Composition_and_decomposition_are_inverses(string composed, string decomposed)
    {
        Assert.Equal(composed, Compose(decomposed));
        Assert.Equal(decomposed, Decompose(composed));
    }

    [Theory]
    [InlineData("\u212B", "\u00C5")]                       // the Ångström sign is a letter
    [InlineData("\u0958", "\u0915\u093C")]                 // never composed again
    [InlineData("s\u0307\u0323", "\u1E69")]
    [InlineData("\uF900", "\u8C48")]
    public void Composition_that_is_not_invertible_follows_Unicode(string text, string composed) =>
        Assert.Equal(composed, Compose(text));

    [Fact]
    public void Both_forms_are_idempotent_and_equivalent() =>
        Gen.Int[0, 0x10FFFF].Where(System.Text.Rune.IsValid).Select(point => new System.Text.Rune(point).ToString()).Array[1, 6]
            .Select(Gen.String[Gen.Char["aeos\u0301\u0307\u0323\u0327\u1100\u1161\u11A8\u0915\u093C"], 0, 8], (texts, tail) =>
                string.Concat(texts) + tail).Sample(text =>
        {
            var (composed, decomposed) = (Compose(text), Decompose(text));
            Assert.Equal(composed, Compose(composed));
            Assert.Equal(decomposed, Decompose(decomposed));
            Assert.Equal(decomposed, Decompose(composed));
            Assert.Equal(composed, Compose(decomposed));
        });

    private static string Compose(string text) => CodePoints.Text(CanonicalForms.Compose(CodePoints.Of(text)));

    private static string Decompose(string text) => CodePoints.Text(CanonicalForms.Decompose(CodePoints.Of(text)));
}
