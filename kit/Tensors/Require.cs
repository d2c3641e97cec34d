using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>
/// Checks of settings, sizes and inputs. Each throws an exception that names the value and what was expected.
/// </summary>
internal static class Require
{
    /// <summary>Requires a number of at least 0 that is not NaN or infinite.</summary>
    public static void NotNegative(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        That(value is >= 0 and < double.PositiveInfinity, value, name, "a number of at least 0");

    /// <summary>Requires a number above 0 that is not NaN or infinite.</summary>
    public static void Positive(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        That(value is > 0 and < double.PositiveInfinity, value, name, "a number above 0");

    /// <summary>Requires a number of at least 0 and below 1.</summary>
    public static void Fraction(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        That(value is >= 0 and < 1, value, name, "at least 0 and below 1");

    /// <summary>Requires a number that is not below a minimum.</summary>
    public static void AtLeast(int least, int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        That(value >= least, value, name, $"at least {least}");

    /// <summary>Requires a condition on a setting.</summary>
    /// <exception cref="ArgumentException">The condition is false; the message names the setting, its value and
    /// what was expected.</exception>
    public static void That(bool fits, object? value, string name, string expected)
    {
        if (!fits) throw new ArgumentException(FormattableString.Invariant($"{name} is {value}; it must be {expected}."));
    }

    /// <summary>Requires sizes of at least 1.</summary>
    /// <exception cref="ArgumentException">A size is below 1; the message names it.</exception>
    public static void Sizes(params ReadOnlySpan<(int Value, string Name)> sizes)
    {
        foreach (var (value, name) in sizes) AtLeast(1, value, name);
    }

    /// <summary>Requires that one size is divisible by another.</summary>
    /// <exception cref="ArgumentException"><paramref name="divisor"/> does not divide the size; the message names
    /// both.</exception>
    public static void Divisible((int Value, string Name) size, (int Value, string Name) divisor)
    {
        if (size.Value % divisor.Value != 0)
            throw new ArgumentException($"{size.Name} {size.Value} is not divisible by {divisor.Name} {divisor.Value}.");
    }

    /// <summary>Requires a dropout probability.</summary>
    /// <returns>The probability.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The probability is below 0 or at least 1.</exception>
    public static double Probability(double probability, string name) => probability is >= 0 and < 1 ? probability
        : throw new ArgumentOutOfRangeException(name, probability, "A dropout probability is at least 0 and less than 1.");

    /// <summary>Checks the tokens that a model reads.</summary>
    /// <param name="tokens">Tokens, which must be int64 [batch, time] with at least one token.</param>
    /// <param name="contextLength">Largest number of tokens, including those read before; null for no
    /// limit.</param>
    /// <param name="attentionMask">Attention mask, which must be [batch, time], including the tokens read before;
    /// or null.</param>
    /// <param name="before">Number of tokens that were read before.</param>
    /// <exception cref="ArgumentException">The tokens or the mask are not as required.</exception>
    public static void Tokens(Tensor tokens, int? contextLength, Tensor? attentionMask = null, int before = 0)
    {
        var (batch, time) = tokens.Axes2("tokens [batch, time]");
        if (tokens.dtype != ScalarType.Int64)
            throw new ArgumentException($"Tokens are {tokens.dtype}; expected Int64.", nameof(tokens));
        if (time == 0) throw new ArgumentException("Got no token; expected at least 1.", nameof(tokens));
        if (before + time > contextLength)
            throw new ArgumentException($"Got {before + time} tokens; the context length is {contextLength}.", nameof(tokens));
        if (attentionMask is not null && !attentionMask.shape.SequenceEqual([batch, before + time]))
            throw new ArgumentException($"The attention mask is {attentionMask.ShapeText()}; expected [{batch}, "
                + $"{before + time}], "
                + "a number for each token.", nameof(attentionMask));
    }

    /// <summary>Checks the images that a network reads.</summary>
    /// <param name="images">Images, which must be [batch, channels, height, width].</param>
    /// <param name="channels">Number of channels that the network expects.</param>
    /// <param name="smallest">Smallest height and width.</param>
    /// <exception cref="ArgumentException">The images are not as required.</exception>
    public static void Images(Tensor images, int channels, int smallest)
    {
        var (_, depth, height, width) = images.Axes4($"[batch, {channels}, height, width]");
        if (depth != channels)
            throw new ArgumentException($"Got images {images.ShapeText()} of {depth} channels; expected [batch, {channels}, "
                + "height, width].", nameof(images));
        if (!images.is_floating_point())
            throw new ArgumentException($"Images are {images.dtype}; expected floating-point numbers, such as "
                + "images.to(float32) / 255.", nameof(images));
        if (height < smallest || width < smallest)
            throw new ArgumentException($"Got images of {height} × {width}; this network needs at least {smallest} × {smallest}.",
                nameof(images));
    }
}
