using System.Runtime.Intrinsics;

namespace ResearchKit.Layers;

/// <summary>Non-linearities of a step, on float32.</summary>
internal static unsafe class StepActivation
{
    private const int Lanes = 8;
    private const float Slope = 1.595769122f, Cubic = 0.044715f, Quick = 1.702f;   // 2 √(2/π), and GELU's other constants

    /// <summary>Whether it is computed here: not GELU with the error function.</summary>
    public static bool Has(Activation activation) => activation is not Activation.Gelu;

    /// <summary>x ← activation(x), or activation(x) · factor.</summary>
    /// <param name="activation">The non-linearity.</param>
    /// <param name="x">[count].</param>
    /// <param name="factor">[count], or null.</param>
    /// <param name="count">Any number.</param>
    public static void Apply(Activation activation, float* x, float* factor, int count)
    {
        var i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            var y = Of(activation, Vector256.Load(x + i));
            (factor is null ? y : y * Vector256.Load(factor + i)).Store(x + i);
        }
        for (; i < count; i++) x[i] = Of(activation, Vector256.Create(x[i])).ToScalar() * (factor is null ? 1 : factor[i]);
    }

    private static Vector256<float> Of(Activation activation, Vector256<float> x) => activation switch
    {
        Activation.Relu => Vector256.Max(x, Vector256<float>.Zero),
        Activation.SquaredRelu => Vector256.Max(x, Vector256<float>.Zero) * Vector256.Max(x, Vector256<float>.Zero),
        Activation.Silu => x * Sigmoid(x),
        Activation.QuickGelu => x * Sigmoid(x * Quick),
        // ½ (1 + tanh u) = σ(2u)
        Activation.GeluTanh => x * Sigmoid(x * Slope * Vector256.FusedMultiplyAdd(x * x, Vector256.Create(Cubic),
            Vector256<float>.One)),
        Activation.Tanh => (Sigmoid(x + x) * 2f) - Vector256<float>.One,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation of a step."),
    };

    private static Vector256<float> Sigmoid(Vector256<float> x) =>
        Vector256<float>.One / (Vector256<float>.One + Vector256.Exp(-x));
}
