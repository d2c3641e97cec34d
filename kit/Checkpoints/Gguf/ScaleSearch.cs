namespace ResearchKit.Checkpoints;

/// <summary>Finds scales of few codes that make the weighted squared error small, as llama.cpp does for Q4_K and Q6_K.</summary>
/// <remarks>
/// Several steps between codes are tried. For the codes that one gives, the best scale (and offset) is that of a weighted least
/// squares fit. The order of the sums is that of https://github.com/ggml-org/ggml, ggml-quants.c, so that the codes are the same.
/// </remarks>
internal static class ScaleSearch
{
    private const int Steps = 20;                     // tried for a scale with an offset
    private const int Around = 9;                     // tried on each side of a scale alone
    private const float Distance = 0.1f, First = -1;  // in codes, from the highest
    private const float Negligible = 1e-15f;

    /// <summary>
    /// Numbers as scale × code − offset with codes 0 to <paramref name="highest"/> and an offset of at least 0.
    /// </summary>
    /// <returns>Scale and offset; a scale of 0 where all numbers are equal.</returns>
    public static (float Scale, float Offset) WithOffset(ReadOnlySpan<float> numbers, int highest)
    {
        Span<float> weights = stackalloc float[numbers.Length];
        var squares = 0f;
        foreach (var number in numbers) squares += number * number;
        var mean = MathF.Sqrt(squares / numbers.Length);
        for (var i = 0; i < weights.Length; i++) weights[i] = mean + Math.Abs(numbers[i]);

        var (low, high) = (numbers[0], numbers[0]);
        var total = weights[0];
        var sum = total * numbers[0];
        for (var i = 1; i < numbers.Length; i++)
        {
            (low, high) = (Math.Min(low, numbers[i]), Math.Max(high, numbers[i]));
            total += weights[i];
            sum += weights[i] * numbers[i];
        }
        low = Math.Min(low, 0);
        if (high == low) return (0, -low);

        Span<int> codes = stackalloc int[numbers.Length];
        var (inverse, start) = (highest / (high - low), low);
        Round(numbers, start, inverse, highest, codes);
        var (scale, offset) = (1 / inverse, low);
        var least = Error(numbers, weights, codes, scale, offset);
        for (var step = 0; step <= Steps; step++)
        {
            Round(numbers, start, (First + (Distance * step) + highest) / (high - start), highest, codes);
            if (Fit(numbers, weights, codes, total, sum) is not { } fit) continue;
            var error = Error(numbers, weights, codes, fit.Scale, fit.Offset);
            if (error < least) (least, scale, offset, start) = (error, fit.Scale, fit.Offset, fit.Offset);
        }
        return (scale, -offset);
    }

    /// <summary>Numbers as scale × code with codes −<paramref name="half"/> to <paramref name="half"/> − 1.</summary>
    public static float Alone(ReadOnlySpan<float> numbers, int half)
    {
        var largest = 0f;   // with its sign
        foreach (var number in numbers)
            if (Math.Abs(number) > Math.Abs(largest)) largest = number;
        if (Math.Abs(largest) < Negligible) return 0;
        var (scale, best) = (0f, 0f);
        for (var tried = -Around - 1; tried <= Around; tried++)
        {
            var step = tried < -Around ? 0 : tried;   // the plain scale first
            if (step == 0 && tried == 0) continue;
            var inverse = -(half + (Distance * step)) / largest;
            var (products, squares) = (0f, 0f);
            foreach (var number in numbers)
            {
                var code = Math.Clamp((int)MathF.Round(inverse * number), -half, half - 1);
                var weight = number * number;
                products += weight * number * code;
                squares += weight * code * code;
            }
            if (tried >= -Around && !(squares > 0 && products * products > best * squares)) continue;
            scale = squares == 0 ? 0 : products / squares;
            best = scale * products;
        }
        return scale;
    }

    private static void Round(ReadOnlySpan<float> numbers, float low, float inverse, int highest, Span<int> codes)
    {
        for (var i = 0; i < codes.Length; i++)
            codes[i] = Math.Clamp((int)MathF.Round(inverse * (numbers[i] - low)), 0, highest);
    }

    /// <summary>The scale and offset that fit codes best; null where all codes are equal.</summary>
    private static (float Scale, float Offset)? Fit(
        ReadOnlySpan<float> numbers, ReadOnlySpan<float> weights, ReadOnlySpan<int> codes, float total, float sum)
    {
        float sumOfCodes = 0, squares = 0, products = 0;
        for (var i = 0; i < codes.Length; i++)
        {
            sumOfCodes += weights[i] * codes[i];
            squares += weights[i] * codes[i] * codes[i];
            products += weights[i] * codes[i] * numbers[i];
        }
        var determinant = (total * squares) - (sumOfCodes * sumOfCodes);
        if (!(determinant > 0)) return null;
        var scale = ((total * products) - (sum * sumOfCodes)) / determinant;
        var offset = ((squares * sum) - (sumOfCodes * products)) / determinant;
        return offset > 0 ? (products / squares, 0) : (scale, offset);
    }

    private static float Error(
        ReadOnlySpan<float> numbers, ReadOnlySpan<float> weights, ReadOnlySpan<int> codes, float scale, float offset)
    {
        var error = 0f;
        for (var i = 0; i < codes.Length; i++)
        {
            var difference = (scale * codes[i]) + offset - numbers[i];
            error += weights[i] * (difference * difference);
        }
        return error;
    }
}
