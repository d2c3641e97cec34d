using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Calls a TorchScript function so that nothing is freed while native code reads it.</summary>
internal static class TorchScriptCall
{
    /// <summary>What the function returns: a tensor, or several.</summary>
    /// <remarks>
    /// TorchSharp makes an object of each number (<c>Scalar</c>) and hands its address on, but does not hold it: the garbage
    /// collector may free it before the function reads it, which then fails, or computes with another number.
    /// </remarks>
    /// <param name="script">The compiled source.</param>
    /// <param name="function">Its name there.</param>
    /// <param name="arguments">Tensors, arrays of tensors, numbers and bools.</param>
    public static object Call(this jit.CompilationUnit script, string function, params object[] arguments)
    {
        var numbers = new List<Scalar>();
        var held = Array.ConvertAll(arguments, argument => argument switch
        {
            double number => Held(number),
            float number => Held(number),
            long number => Held(number),
            _ => argument,
        });
        try
        {
            return script.invoke(function, held);
        }
        finally
        {
            foreach (var number in numbers) number.Dispose();
            GC.KeepAlive(arguments);
        }

        Scalar Held(Scalar number)
        {
            numbers.Add(number);
            return number;
        }
    }
}
